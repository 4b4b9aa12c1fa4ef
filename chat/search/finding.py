"""Conversations found by the words of their titles and messages, with the place that was found."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    UUIDField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Left

from accounts.models import User
from chat.models import Conversation, Message, SearchEntry
from chat.search import index as search_index
from chat.search.attached import Attached, find_attached
from chat.search.filters import Wanted
from chat.search.words import Words, condition, terms_of
from chat.selectors import list_conversations
from knowledge.matches import mark_terms
from knowledge.reading import Run
from security.reading import reading_as
from security.text import storable

LONGEST_QUERY = 200
SHOWN = 40
ANYTHING = Wanted()
BEST_FIRST = ("-rank", "-updated_at", "-id")
TITLE = 3  # as much as very many messages
SEVERAL, VERY_MANY = 3, 8  # messages; a question and its answer say most words both
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
    attachment_id: UUID | None = None
    file_name: list[Run] = field(default_factory=list)


def search_conversations(
    user: User, query: str, wanted: Wanted = ANYTHING
) -> QuerySet[Conversation]:
    """Those that `user` may see and that have all words in their title, in one message, or in one
    file that was attached, as far as `wanted` lets them through.

    Each has the newest message with them as `found`, and as `rank` a digit that says how much of it
    they are: to be ordered by `BEST_FIRST`. What was said a moment ago counts: whatever of theirs
    the index does not know yet is added first.
    """
    visible = wanted.conversations(user, list_conversations(user))
    query = storable(query)[:LONGEST_QUERY]
    words = condition(query)
    if not words:
        return _unranked(visible.none())
    search_index.catch_up(Conversation.objects.visible_to(user))
    entries = SearchEntry.objects.filter(conversation=OuterRef("pk"), words=Words(words))
    entries = wanted.entries(user, entries)
    newest = entries.exclude(message=None).order_by(F("message").desc())
    attached = find_attached(user, query, wanted)
    has = Q(Exists(entries)) | Q(pk__in=list(attached))
    found = visible.filter(has).annotate(found=Subquery(newest.values("message")[:1]))
    return _ranked(found, entries)


def _ranked(rows: QuerySet[Conversation], entries: QuerySet[SearchEntry]) -> QuerySet[Conversation]:
    """A title counts as much as very many messages, several messages for more than one or two."""
    said = entries.exclude(message=None).order_by().values("conversation")
    count = Coalesce(Subquery(said.annotate(n=Count("pk")).values("n")), 0)
    many = Case(
        When(hits__gte=VERY_MANY, then=3), When(hits__gte=SEVERAL, then=2),
        When(hits__gte=1, then=1), default=0, output_field=IntegerField(),
    )  # fmt: skip
    titled = Case(When(Exists(entries.filter(message=None)), then=TITLE), default=0)
    return rows.alias(hits=count).annotate(rank=Cast(titled + many, TextField()))


def list_narrowed(user: User, wanted: Wanted) -> QuerySet[Conversation]:
    """Without words: all that `wanted` lets through."""
    return _unranked(wanted.conversations(user, list_conversations(user)))


def _unranked(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    return rows.annotate(found=Value(None, output_field=UUIDField()), rank=Value("0"))


def find_hits(user: User, query: str, limit: int = SHOWN, wanted: Wanted = ANYTHING) -> list[Hit]:
    """The best conversations of the search, the newest of equal ones first, what was found marked
    in each."""
    is_narrowed = not query and not wanted.is_any
    rows = list_narrowed(user, wanted) if is_narrowed else search_conversations(user, query, wanted)
    found = list(rows.prefetch_related(None).order_by(*BEST_FIRST)[:limit])
    return describe(user, found, query, wanted)


def describe(
    user: User, conversations: Sequence[Any], query: str, wanted: Wanted = ANYTHING
) -> list[Hit]:
    """What `search_conversations` found, as it is shown.

    Texts are read under the second lock; finding is not, for its policies would keep Postgres from
    using the index of words.
    """
    query = storable(query)[:LONGEST_QUERY]
    found = [conversation.found for conversation in conversations]
    with reading_as(user):
        rows = Message.objects.visible_to(user).filter(pk__in=found)
        texts = dict(rows.values_list("pk", Left("text", READ)))
    unexplained = any(one.found is None for one in conversations)
    attached = find_attached(user, query, wanted) if unexplained else {}
    return [
        _hit(one, texts.get(one.found, ""), query, attached.get(one.pk)) for one in conversations
    ]


def _hit(conversation: Any, text: str, query: str, attached: Attached | None) -> Hit:
    """A file is told of where neither the title nor a message explains the hit."""
    title = conversation.title
    marked = mark_terms(title, terms_of(query, title))
    if attached and not conversation.found and not any(run.is_marked for run in marked):
        name = mark_terms(attached.name, terms_of(query, attached.name))
        snippet = snippet_of(attached.text, query) if attached.text else []
        return Hit(conversation, marked, None, snippet, attached.document_id, name)
    return Hit(
        conversation=conversation,
        title=marked,
        message_id=conversation.found,
        snippet=snippet_of(text, query) if text else [],
    )


def snippet_of(text: str, query: str) -> list[Run]:
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
