"""Conversations found by the words of their titles and messages, with the place that was found."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Left

from accounts.models import User
from chat.models import Conversation, Message, SearchEntry
from chat.search import index as search_index
from chat.search.words import Words, condition, terms_of
from chat.selectors import list_conversations
from knowledge.matches import mark_terms
from knowledge.reading import Run
from security.reading import reading_as
from security.text import storable

LONGEST_QUERY = 200
SHOWN = 40
SNIPPET = 150
BEFORE = 40  # characters of a snippet before the word that was found
READ = 20_000  # characters of a message that are looked through for it
_MARKUP = re.compile(r"[*_`#>|~]+|^\s*[-+] ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Hit:
    conversation: Conversation
    title: list[Run]
    message_id: UUID | None
    snippet: list[Run]


def search_conversations(user: User, query: str) -> QuerySet[Conversation]:
    """Those that `user` may see and that have all words in their title or in one message.

    Each has the newest message with them as `found`. What was said a moment ago counts: whatever
    of theirs the index does not know yet is added first.
    """
    visible = list_conversations(user)
    wanted = condition(storable(query)[:LONGEST_QUERY])
    if not wanted:
        return visible.none()
    search_index.catch_up(Conversation.objects.visible_to(user))
    entries = SearchEntry.objects.filter(conversation=OuterRef("pk"), words=Words(wanted))
    newest = entries.exclude(message=None).order_by(F("message").desc())
    return visible.filter(Exists(entries)).annotate(found=Subquery(newest.values("message")[:1]))


def find_hits(user: User, query: str, limit: int = SHOWN) -> list[Hit]:
    """The newest conversations of the search, what was found marked in each."""
    rows = search_conversations(user, query).prefetch_related(None)
    return describe(user, list(rows.order_by("-updated_at")[:limit]), query)


def describe(user: User, conversations: Sequence[Any], query: str) -> list[Hit]:
    """What `search_conversations` found, as it is shown.

    Texts are read under the second lock; finding is not, for its policies would keep Postgres from
    using the index of words.
    """
    query = storable(query)[:LONGEST_QUERY]
    found = [conversation.found for conversation in conversations]
    with reading_as(user):
        rows = Message.objects.visible_to(user).filter(pk__in=found)
        texts = dict(rows.values_list("pk", Left("text", READ)))
    return [_hit(one, texts.get(one.found, ""), query) for one in conversations]


def _hit(conversation: Any, text: str, query: str) -> Hit:
    title = conversation.title
    return Hit(
        conversation=conversation,
        title=mark_terms(title, terms_of(query, title)),
        message_id=conversation.found,
        snippet=_snippet(text, query) if text else [],
    )


def _snippet(text: str, query: str) -> list[Run]:
    """A line of `text` around the first word that was found, without Markdown's signs."""
    line = " ".join(_MARKUP.sub("", text).split())
    terms = terms_of(query, line)
    before = ""
    for run in mark_terms(line, terms):
        if run.is_marked:
            break
        before += run.text
    start = max(0, len(before) - BEFORE)
    if start and " " in line[start : start + BEFORE // 2]:
        start = line.index(" ", start) + 1
    end = start + SNIPPET
    shown = ("…" if start else "") + line[start:end] + ("…" if end < len(line) else "")
    return mark_terms(shown, terms)
