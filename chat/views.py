"""The chat page, its partials and the catalogue of translated sentences for scripts."""

import re
from http import HTTPStatus
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import translation
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods
from django.views.i18n import JavaScriptCatalog

from accounts.limits import spend_for
from accounts.models import User
from agents.models import Agent
from chat.models import Conversation
from chat.starters import list_starters
from chat.thread import list_thread
from knowledge.excerpts import find_excerpt
from knowledge.models import Collection
from security.rate_limits import Action
from security.text import storable

SPAN = re.compile(r"(\d{1,9})-(\d{1,9})")
MAX_SPANS = 50


@require_GET
@login_required
def new_chat(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "chat/page.html",
        {
            "starters": list_starters(request.user),
            **_choices(request, request.GET.get("agent", "")),
        },
    )


@require_GET
@login_required
def conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The shown path, or the one through the message `at` that a search has found."""
    shown = get_object_or_404(Conversation.objects.visible_to(request.user), pk=conversation_id)
    context = {
        "conversation": shown,
        "thread": list_thread(shown, request.user, _uuid(request.GET.get("at", ""))),
        "may_write": Conversation.objects.editable_by(request.user).filter(pk=shown.pk).exists(),
        "chosen": {str(pk) for pk in shown.collections.values_list("pk", flat=True)},
        **_choices(request, shown.agent.slug if shown.agent else ""),
    }
    return render(request, "chat/page.html", context)


@require_http_methods(["GET", "POST"])
@login_required
def thread(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The messages of the shown path; a POST shows the path through `message` from now on."""
    shown = get_object_or_404(Conversation.objects.visible_to(request.user), pk=conversation_id)
    through = _uuid(request.POST.get("message", "")) if request.method == "POST" else None
    messages = list_thread(shown, request.user, through)
    editable = Conversation.objects.editable_by(request.user).filter(pk=shown.pk)
    if through and messages:
        editable.update(leaf_id=messages[-1].message.pk)
    context = {"conversation": shown, "thread": messages, "may_write": editable.exists()}
    return render(request, "chat/_thread.html", context)


@require_GET
@login_required
def history(request: HttpRequest) -> HttpResponse:
    """The sidebar's list for the search `q`, or the archive; `current` is the conversation on the
    page."""
    current = _uuid(request.GET.get("current", ""))
    query = storable(request.GET.get("q", "")).strip()
    if query:
        spend_for(request, Action.SEARCHES)
    context = {
        "query": query,
        "is_archive": "archive" in request.GET,
        "conversation": {"id": current} if current else None,
    }
    return render(request, "chat/_history_list.html", context)


@require_GET
@login_required
def passage(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """The document's text around the spans `at=12-80`, each of them marked."""
    found = [SPAN.fullmatch(value) for value in request.GET.getlist("at")[:MAX_SPANS]]
    spans = [(int(match[1]), int(match[2])) for match in found if match]
    excerpt = find_excerpt(request.user, document_id, spans)
    if excerpt is None:
        return render(request, "chat/_passage_gone.html", status=HTTPStatus.NOT_FOUND)
    context = {"excerpt": excerpt, "start": spans[0][0], "end": spans[0][1]}
    return render(request, "chat/_passage.html", context)


@require_GET
@cache_control(max_age=3600, public=True)
def javascript_catalog(request: HttpRequest, language: str) -> HttpResponseBase:
    """Sentences that scripts build, in the language of the address so that it can be cached."""
    if not translation.check_for_language(language):
        raise Http404
    with translation.override(language):
        return JavaScriptCatalog.as_view()(request)


def _choices(request: HttpRequest, agent: str) -> dict[str, object]:
    """What the pickers offer; the one with the slug `agent` is ticked, or else the first."""
    assert isinstance(request.user, User)
    agents = list(Agent.objects.visible_to(request.user))
    slugs = [offered.slug for offered in agents]
    return {
        "agents": agents,
        "chosen_agent": agent if agent in slugs else next(iter(slugs), ""),
        "collections": list(Collection.objects.visible_to(request.user)),
    }


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
