"""What a person may want to jump to: conversations, documents, collections, agents and prompts by
the words of their names; and what documents say, by its words."""

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from agents.models import Agent, SavedPrompt
from chat.search.finding import ANYTHING, find_hits, snippet_of
from chat.search.narrowing import Chip, Narrowed, narrow
from chat.search.words import terms_of
from knowledge.analyzer import analyze
from knowledge.matches import mark_terms
from knowledge.models import Collection, Document
from knowledge.reading import Run
from knowledge.retrieval import search
from security.reading import reading_as
from security.text import storable

OF_EACH = 5
CONVERSATIONS = 8
ALONE = 20  # of a kind that alone is asked for
DETAIL = 120


@dataclass(frozen=True, slots=True)
class Target:
    """`kind` is `conversation`, `document`, `passage`, `collection`, `agent` or `prompt`."""

    kind: str
    id: str
    name: list[Run]
    detail: list[Run]
    url: str


@dataclass(frozen=True, slots=True)
class Jump:
    """What was found, and what words of the query narrowed the conversations to."""

    targets: tuple[Target, ...] = ()
    chips: tuple[Chip, ...] = ()


def find_targets(
    user: User, query: str, kind: str = "", without: Container[str] = ()
) -> list[Target]:
    return list(jump(user, query, kind, without).targets)


def jump(user: User, query: str, kind: str = "", without: Container[str] = ()) -> Jump:
    """The best of each kind that `user` may see, or more of one `kind`; nothing for an empty query.

    Conversations are narrowed by what the query says of days and of an agent; `without` these
    kinds of narrowing it is words. Who names an agent looks for nothing but conversations.
    """
    query = " ".join(storable(query).split())
    if not query:
        return Jump()
    of_each = ALONE if kind else OF_EACH
    most = ALONE if kind else CONVERSATIONS
    narrowed = Narrowed(query, ANYTHING)
    if kind in ("", "conversation"):
        narrowed = narrow(user, query, timezone.localtime(), without)
    talks = _conversations(user, narrowed, most) if kind in ("", "conversation") else ()
    if narrowed.wanted.agent:
        return Jump(tuple(talks), narrowed.chips)
    with reading_as(user):
        named = [
            target
            for name, find in NAMED.items()
            if kind in ("", name)
            for target in find(user, query, of_each)
        ]
    said = _passages(user, query, of_each) if kind in ("", "passage") else ()
    return Jump((*talks, *named, *said), narrowed.chips)


def _conversations(user: User, narrowed: Narrowed, limit: int) -> Iterator[Target]:
    for hit in find_hits(user, narrowed.words, limit, narrowed.wanted):
        place = reverse("chat:conversation", args=[hit.conversation.pk])
        at = f"?at={hit.message_id}" if hit.message_id else ""
        detail = [*hit.file_name, *([Run(" · ")] if hit.file_name else []), *hit.snippet]
        yield Target("conversation", str(hit.conversation.pk), hit.title, detail, place + at)


def _passages(user: User, query: str, limit: int) -> Iterator[Target]:
    """By their words alone: nobody is asked for a vector while somebody types."""
    begun = query.rpartition(" ")[0] or query  # the last word may not be complete
    wanted = {term for term in analyze(begun) if len(term) > 1}
    for passage in search(user, query, limit=limit, alpha=0.0, remember=False).passages:
        if not wanted <= set(passage.ranks["terms_matched"]):
            continue
        place = reverse("knowledge:document", args=[passage.document_id])
        at = f"{place}?at={passage.start}-{passage.end}"
        detail = snippet_of(passage.text, query)
        yield Target("passage", str(passage.chunk_id), _marked(passage.title, query), detail, at)


def _documents(user: User, query: str, limit: int) -> Iterator[Target]:
    # Attachments are found by their conversation.
    rows = Document.objects.collected_for(user).filter(_has(query, "title", "file_name"))
    found = list(rows[:limit])
    homes = Collection.objects.visible_to(user).in_bulk([row.collection_id for row in found])
    for document in found:
        place = reverse("knowledge:document", args=[document.pk])
        home = homes.get(document.collection_id)
        name = home.name if home else _("Shared documents")
        yield _target("document", document, query, place, (document.title, name))


def _collections(user: User, query: str, limit: int) -> Iterator[Target]:
    found = Collection.objects.visible_to(user).filter(_has(query, "name", "description"))
    for row in found.order_by("name", "pk")[:limit]:
        place = reverse("knowledge:collection", args=[row.pk])
        yield _target("collection", row, query, place, (row.name, row.description))


def _agents(user: User, query: str, limit: int) -> Iterator[Target]:
    found = Agent.objects.visible_to(user).filter(_has(query, "name", "description"))
    for row in found.order_by("name", "pk")[:limit]:
        place = f"{reverse('chat:new')}?agent={row.slug}"
        yield _target("agent", row, query, place, (row.name, row.description))


def _prompts(user: User, query: str, limit: int) -> Iterator[Target]:
    found = SavedPrompt.objects.visible_to(user).filter(_has(query, "name", "text"))
    for row in found.order_by("name", "pk")[:limit]:
        place = f"{reverse('chat:new')}?prompt={row.pk}"
        yield _target("prompt", row, query, place, (row.name, row.text))


def _target(kind: str, row: Any, query: str, place: str, words: tuple[str, str]) -> Target:
    name, detail = words
    short = " ".join(detail[: 2 * DETAIL].split())[:DETAIL]
    return Target(kind, str(row.pk), _marked(name, query), _marked(short, query), place)


def _marked(text: str, query: str) -> list[Run]:
    return mark_terms(text, terms_of(query, text))


def _has(query: str, *fields: str) -> Q:
    """Every word of the query stands in one of the fields."""
    condition = Q()
    for word in query.split():
        one = Q()
        for field in fields:
            one |= Q(**{f"{field}__icontains": word})
        condition &= one
    return condition


NAMED: dict[str, Callable[[User, str, int], Iterator[Target]]] = {
    "document": _documents,
    "collection": _collections,
    "agent": _agents,
    "prompt": _prompts,
}
