"""The pages on which agents are made: the form, the history, who may use it, its picture."""

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import services as accounts
from accounts.callers import caller
from accounts.errors import SharingRefused
from accounts.models import Grant, User
from agents.building import drafts, gate, helping, making, offered, publishing
from agents.building.decoding import list_controls
from agents.building.differences import differences, summaries
from agents.building.limits import list_limits
from agents.building.sharing import list_grants, take
from agents.building.variables import NAMES
from agents.building.verdicts import Verdict, verdict_on
from agents.guardrails.forms import choices as guardrail_choices
from agents.guardrails.forms import kinds as guardrail_kinds
from agents.models import Agent
from knowledge.forms import GrantForm
from knowledge.switch_fields import described
from security.downloads import Image

EMOJI = [*"✨🤖📚🧭🩺💼📈🧪🌱🧾🎓🌍💬🔍☕🚀"]
ROLES = [
    (Grant.Role.READER.value, _("ask it")),
    (Grant.Role.EDITOR.value, _("ask and change it")),
    (Grant.Role.OWNER.value, _("ask, change and share it")),
]
STARTERS = 4  # fields that are there before any is added


@require_GET
@login_required
def builder(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """The draft as a form that saves itself, beside it where it is tried."""
    user = caller(request)
    agent = _editable(request, agent_id)
    draft = drafts.find_draft(user, agent.pk)
    chosen = set(draft.collections.values_list("pk", flat=True))
    tools = offered.list_tools(user, draft)
    known = {one.name for one in tools}
    starters = [*draft.starters, *[""] * STARTERS][: max(STARTERS, len(draft.starters))]
    context = _context(request, agent) | {
        "draft": draft,
        "verdict": _verdict(user, agent),
        "has_changes": drafts.has_changes(draft),
        "emoji": EMOJI,
        "variables": NAMES,
        "models": offered.list_models(),
        "efforts": Agent.Effort.choices,
        "collections": [(one, one.pk in chosen) for one in offered.list_collections(user)],
        "hidden": len(list(drafts.hidden_collections(user, draft))),
        "groups": offered.grouped(tools, draft.tools),
        "lost_tools": [name for name in draft.tools if name not in known],
        "helpers": helping.list_choices(user, draft),
        "hidden_helpers": len({one["agent"] for one in helping.hidden(user, draft)}),
        "limits": list_limits(draft.limits),
        "decodings": list_controls(draft.decoding),
        "guardrail_choices": guardrail_choices(),
        "guardrail_kinds": guardrail_kinds(),
        "starters": starters,
        "switches": [(*one, draft.understanding.get(one[0].value)) for one in described()],
        "reuses": Agent.Reuse.choices,
        "times": Agent.ReuseFor.choices,
    }
    return render(request, "agents/builder/page.html", context)


@require_GET
@never_cache
@login_required
def publication(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """What golden questions say of the draft that is to be published: a part of the form's page,
    which draws itself anew until it is known."""
    user = caller(request)
    agent = _editable(request, agent_id)
    context = {"agent": agent, "verdict": _verdict(user, agent, with_done=True)}
    return render(request, "agents/builder/_publication.html", context)


@require_GET
@login_required
def versions(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """The history; `shown` is the version of which it says what it changed, and since which."""
    user = caller(request)
    agent = _editable(request, agent_id)
    rows = publishing.list_versions(user, agent.pk)
    contents = [row.content for row in rows]
    context = _context(request, agent) | {
        "rows": list(zip(rows, summaries(contents), strict=True)),
    }
    if rows:
        shown = _number(request, "shown", rows[0].number)
        new = publishing.find_version(user, agent.pk, shown)
        earlier = [row.number for row in rows if row.number < shown]
        since = _number(request, "since", earlier[0] if earlier else 0)
        old = publishing.find_version(user, agent.pk, since).content if since else {}
        context |= {"shown": new, "since": since, "found": differences(user, old, new.content)}
        context["has_changes"] = drafts.has_changes(drafts.find_draft(user, agent.pk))
    return render(request, "agents/builder/versions.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def access(request: HttpRequest, agent_id: UUID) -> HttpResponse:
    """The grants of an agent; a POST gives one, or changes the role of one that is there."""
    user = caller(request)
    shared = get_object_or_404(Agent.objects.owned_by(user), pk=agent_id)
    form = GrantForm(user, request.POST or None)
    form.fields["role"].choices = ROLES  # type: ignore[attr-defined]  # a ChoiceField
    if request.method == "POST" and form.is_valid():
        try:
            accounts.share(shared, form.cleaned_data["grantee"], form.cleaned_data["role"], by=user)
        except SharingRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("agents:access", shared.pk)
    context = _context(request, shared) | {"form": form, "grants": list_grants(shared)}
    return render(request, "agents/builder/access.html", context)


@require_POST
@login_required
def revoke(request: HttpRequest, agent_id: UUID, grant_id: UUID) -> HttpResponse:
    user = caller(request)
    shared = get_object_or_404(Agent.objects.owned_by(user), pk=agent_id)
    take(user, shared.pk, grant_id)
    if not Agent.objects.owned_by(user).filter(pk=shared.pk).exists():
        return redirect("agents:home")
    return redirect("agents:access", shared.pk)


@require_GET
@login_required
def picture(request: HttpRequest, picture_id: UUID) -> HttpResponse:
    """A picture never changes; another one is another address."""
    response = Image(making.find_picture(caller(request), picture_id), "image/jpeg")
    response.headers["Cache-Control"] = "private, max-age=86400"
    return response


def _editable(request: HttpRequest, agent_id: UUID) -> Agent:
    found: Agent = get_object_or_404(Agent.objects.editable_by(request.user), pk=agent_id)
    return found


def _context(request: HttpRequest, agent: Agent) -> dict[str, Any]:
    return {
        "agent": agent,
        "may_share": Agent.objects.owned_by(request.user).filter(pk=agent.pk).exists(),
        "may_build": making.may_build(caller(request)),
    }


def _verdict(user: User, agent: Agent, *, with_done: bool = False) -> Verdict | None:
    """What became a version is told to who waited for it, and not again."""
    found = gate.find_publication(user, agent.pk)
    if found is None or (found.state == gate.State.PUBLISHED and not with_done):
        return None
    return verdict_on(user, found)


def _number(request: HttpRequest, name: str, usual: int) -> int:
    said = request.GET.get(name, "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 8 else usual
