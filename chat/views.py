"""The chat page, its partials and the catalogue of translated sentences for scripts."""

import re
from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.utils import translation
from django.views.decorators.cache import cache_control
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET, require_http_methods
from django.views.i18n import JavaScriptCatalog

from accounts.limits import spend_for
from accounts.models import User
from agents.models import Agent
from agents.selectors import usual_agent
from chat.answers.branching import find_origin
from chat.answers.feedback import BLAME, PRAISE
from chat.answers.variants import with_variants
from chat.models import Conversation
from chat.search.filters import read_wanted
from chat.starters import list_starters
from chat.thread import Window, find_thread
from gateway.catalogue import list_chat_models
from knowledge.excerpts import find_excerpt
from knowledge.models import Collection
from security.rate_limits import Action
from security.text import storable

SPAN = re.compile(r"(\d{1,9})-(\d{1,9})")
VERSION = re.compile(r"[1-9]\d{0,8}", re.ASCII)
MAX_SPANS = 50
MAX_WINDOW = 500  # messages


@gzip_page  # with random padding: its size tells nothing about what it says (BREACH)
@require_GET
@login_required
def new_chat(request: HttpRequest) -> HttpResponse:
    return render(
        request,
        "chat/page.html",
        {
            "starters": list_starters(request.user),
            **_choices(request, request.GET.get("agent", "") or usual_agent(request.user)),
        },
    )


@gzip_page
@require_GET
@login_required
def conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """The end of the shown path, or what is around the message `at` that a search has found."""
    shown = get_object_or_404(Conversation.objects.visible_to(request.user), pk=conversation_id)
    window = Window(around=_uuid(request.GET.get("at", "")))
    context = {
        "conversation": shown,
        "thread": with_variants(
            shown, request.user, find_thread(shown, request.user, window=window).messages
        ),
        "origin": find_origin(request.user, shown),
        "may_write": Conversation.objects.editable_by(request.user).filter(pk=shown.pk).exists(),
        "chosen": {str(pk) for pk in shown.collections.values_list("pk", flat=True)},
        **_choices(request, shown.agent.slug if shown.agent else "", shown.model_name),
    }
    return render(request, "chat/page.html", context)


@gzip_page
@require_http_methods(["GET", "POST"])
@login_required
def thread(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Messages of the shown path: the last, or up to `limit` that come `before` or `after` one; a
    POST shows the path through `message` from now on."""
    shown = get_object_or_404(Conversation.objects.visible_to(request.user), pk=conversation_id)
    through = _uuid(request.POST.get("message", "")) if request.method == "POST" else None
    found = find_thread(shown, request.user, window=_window(request.GET, through))
    editable = Conversation.objects.editable_by(request.user).filter(pk=shown.pk)
    if through and found.leaf_id:
        editable.update(leaf_id=found.leaf_id)
    context = {
        "conversation": shown,
        "thread": with_variants(shown, request.user, found.messages),
        "may_write": editable.exists(),
    }
    return render(request, "chat/_thread.html", context)


@require_GET
@login_required
def history(request: HttpRequest) -> HttpResponse:
    """The sidebar's list for the search `q`, as it is narrowed, or the archive; `current` is the
    conversation on the page."""
    current = _uuid(request.GET.get("current", ""))
    query = storable(request.GET.get("q", "")).strip()
    wanted = read_wanted(request.GET)
    if query or not wanted.is_any:
        spend_for(request, Action.SEARCHES)
    context = {
        "query": query,
        "wanted": wanted,
        "is_archive": "archive" in request.GET,
        "conversation": {"id": current} if current else None,
    }
    return render(request, "chat/_history_list.html", context)


@require_GET
@login_required
def history_filters(request: HttpRequest) -> HttpResponse:
    """The form that narrows the search of conversations."""
    context = {
        "agents": list(Agent.objects.visible_to(request.user)),
        "collections": list(Collection.objects.visible_to(request.user).order_by("name")),
    }
    return render(request, "chat/_history_filters.html", context)


@require_GET
@login_required
def passage(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """The document's text around the spans `at=12-80`, each of them marked."""
    found = [SPAN.fullmatch(value) for value in request.GET.getlist("at")[:MAX_SPANS]]
    spans = [(int(match[1]), int(match[2])) for match in found if match]
    version = request.GET.get("version", "")
    number = int(version) if VERSION.fullmatch(version) else None
    excerpt = find_excerpt(request.user, document_id, spans, number)
    if excerpt is None:
        return render(request, "chat/_passage_gone.html", status=HTTPStatus.NOT_FOUND)
    context = {"excerpt": excerpt, "start": spans[0][0], "end": spans[0][1]}
    return render(request, "chat/_passage.html", context)


@gzip_page
@require_GET
@cache_control(max_age=3600, public=True)
def javascript_catalog(request: HttpRequest, language: str) -> HttpResponseBase:
    """Sentences that scripts build, in the language of the address so that it can be cached."""
    if not translation.check_for_language(language):
        raise Http404
    with translation.override(language):
        return JavaScriptCatalog.as_view()(request)


def _window(asked: QueryDict, around: UUID | None) -> Window:
    limit = asked.get("limit", "")
    is_number = limit.isascii() and limit.isdigit() and len(limit) < 6
    size = min(int(limit), MAX_WINDOW) if is_number else Window().size
    before, after = _uuid(asked.get("before", "")), _uuid(asked.get("after", ""))
    return Window(before=before, after=after, around=around, size=max(1, size))


def _choices(request: HttpRequest, agent: str, model: str = "") -> dict[str, object]:
    """What the pickers offer; the one with the slug `agent` is ticked, or else the first. A single
    model is no choice."""
    assert isinstance(request.user, User)
    models = [offered.name for offered in list_chat_models()]
    agents = list(Agent.objects.visible_to(request.user))
    slugs = [offered.slug for offered in agents]
    chosen = agent if agent in slugs else next(iter(slugs), "")
    return {
        "agents": agents,
        "praise": PRAISE,
        "blame": BLAME,
        "chosen_agent": chosen,
        "has_own_starters": any(one.starters for one in agents if one.slug == chosen),
        "models": models if len(models) > 1 else [],
        "chosen_model": model if model in models else "",
        "temporary_hours": settings.PARLEY_TEMPORARY_HOURS,
        "collections": list(Collection.objects.visible_to(request.user)),
    }


def _uuid(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
