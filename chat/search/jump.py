"""What a person may want to jump to: conversations, documents, collections, agents and prompts by
the words of their names."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.urls import reverse

from accounts.models import User
from agents.models import Agent, SavedPrompt
from chat.search.finding import find_hits
from chat.search.words import terms_of
from knowledge.matches import mark_terms
from knowledge.models import Collection, Document
from knowledge.reading import Run
from security.reading import reading_as
from security.text import storable

OF_EACH = 5
CONVERSATIONS = 8
DETAIL = 120


@dataclass(frozen=True, slots=True)
class Target:
    """`kind` is `conversation`, `document`, `collection`, `agent` or `prompt`."""

    kind: str
    id: str
    name: list[Run]
    detail: list[Run]
    url: str


def find_targets(user: User, query: str) -> list[Target]:
    """The best of each kind that `user` may see; nothing for an empty query."""
    query = " ".join(storable(query).split())
    if not query:
        return []
    with reading_as(user):
        named = [*_documents(user, query), *_collections(user, query), *_agents(user, query),
                 *_prompts(user, query)]  # fmt: skip
    return [*_conversations(user, query), *named]


def _conversations(user: User, query: str) -> Iterator[Target]:
    for hit in find_hits(user, query, CONVERSATIONS):
        place = reverse("chat:conversation", args=[hit.conversation.pk])
        at = f"?at={hit.message_id}" if hit.message_id else ""
        yield Target("conversation", str(hit.conversation.pk), hit.title, hit.snippet, place + at)


def _documents(user: User, query: str) -> Iterator[Target]:
    found = Document.objects.visible_to(user).filter(_has(query, "title", "file_name"))
    found = found.filter(collection__is_shelf=False)  # attachments are found by their conversation
    for document in found.select_related("collection")[:OF_EACH]:
        place = reverse("knowledge:document", args=[document.pk])
        yield _target(
            "document", document, query, place, (document.title, document.collection.name)
        )


def _collections(user: User, query: str) -> Iterator[Target]:
    found = Collection.objects.visible_to(user).filter(_has(query, "name", "description"))
    for row in found.order_by("name", "pk")[:OF_EACH]:
        place = reverse("knowledge:collection", args=[row.pk])
        yield _target("collection", row, query, place, (row.name, row.description))


def _agents(user: User, query: str) -> Iterator[Target]:
    found = Agent.objects.visible_to(user).filter(_has(query, "name", "description"))
    for row in found.order_by("name", "pk")[:OF_EACH]:
        place = f"{reverse('chat:new')}?agent={row.slug}"
        yield _target("agent", row, query, place, (row.name, row.description))


def _prompts(user: User, query: str) -> Iterator[Target]:
    found = SavedPrompt.objects.visible_to(user).filter(_has(query, "name", "text"))
    for row in found.order_by("name", "pk")[:OF_EACH]:
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
