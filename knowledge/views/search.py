"""The search test: what a question finds, in which order, and why; also for somebody else."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.callers import caller
from accounts.limits import spend_for
from accounts.models import User
from knowledge import retrieval, viewers
from knowledge.forms import SearchForm
from knowledge.matches import mark_terms
from knowledge.models import Collection
from knowledge.reading import Run
from knowledge.soft_breaks import read_on
from knowledge.types import Passage, SearchResult
from security.rate_limits import Action

SHOWN = 20
MATCHES = 16  # words listed for a hit


@dataclass(frozen=True, slots=True)
class Hit:
    """A found passage with what explains its place; `matched` as the passage writes it."""

    passage: Passage
    runs: list[Run]
    lexical: dict[str, Any] | None
    dense: dict[str, Any] | None
    matched: list[str]


@require_GET
@login_required
def search(request: HttpRequest) -> HttpResponse:
    """The form, and the hits once there is a question; a fragment of hits for htmx."""
    user = caller(request)
    form = SearchForm(user, request.GET)
    context: dict[str, Any] = {
        "form": form,
        "query": request.GET.get("q", "").strip(),
        "collections": Collection.objects.visible_to(user),
        "chosen": set(request.GET.getlist("collection")),
        "faces": viewers.list_faces(user),
        "as": request.GET.get("as", ""),
    }
    eyes = viewers.find_eyes(user, context["as"]) if context["as"] else None
    if context["query"] and form.is_valid():
        spend_for(request, Action.SEARCHES)
        chosen = [collection.pk for collection in form.cleaned_data["collection"]]
        found = _find(user, eyes, form.cleaned_data["q"], chosen or None)
        person = eyes if isinstance(eyes, User) else None
        context |= {"found": found, "hits": describe_hits(found), "eyes": eyes, "person": person}
    is_partial = "HX-Request" in request.headers
    name = "knowledge/_hits.html" if is_partial else "knowledge/search.html"
    return render(request, name, context)


def _find(
    user: User, eyes: viewers.Eyes | None, query: str, chosen: list[UUID] | None
) -> SearchResult:
    """As oneself everywhere; as somebody else in what is one's own, and that is recorded."""
    if eyes is None:
        return retrieval.search(user, query, collections=chosen, limit=SHOWN)
    viewers.record_look(eyes, None)
    return viewers.search_as(eyes, user, query, chosen, SHOWN)


def describe_hits(found: SearchResult) -> list[Hit]:
    texts = read_on(found.passages)
    return [_hit(*both) for both in zip(found.passages, texts, strict=True)]


def _hit(passage: Passage, text: str) -> Hit:
    ranks = passage.ranks
    runs = mark_terms(text, ranks.get("terms_matched", []))
    matched = dict.fromkeys(run.text.lower() for run in runs if run.is_marked)
    return Hit(passage, runs, ranks.get("lexical"), ranks.get("dense"), list(matched)[:MATCHES])
