"""Which words stand in which message: kept by the clock, and caught up by whoever searches.

Nothing is written here while a question is asked or answered. A conversation whose `indexed_at` is
older than its last change waits for this; deleting one takes its entries along.
"""

import logging
import time
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q, QuerySet

from chat.models import Conversation, Message
from chat.search.words import words_of

log = logging.getLogger(__name__)

STALE = Q(indexed_at=None) | Q(indexed_at__lt=F("updated_at"))
Entry = tuple[UUID, UUID | None, list[str]]  # conversation, message or its title, words
BATCH = 20  # conversations a transaction
SECONDS = 4.0  # the clock has other things to do; it comes again


def keep() -> None:
    """Index what has changed, for a few seconds at most. The clock calls this."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and catch_up(Conversation.objects.filter(deleted_at=None)):
        pass


def catch_up(conversations: QuerySet[Conversation]) -> int:
    """Index the latest few of `conversations` that have changed; how many there were.

    One that is being deleted meanwhile is left to the next time, with those it came with.
    """
    stale = conversations.filter(STALE, ends_at=None).order_by("-updated_at")
    rows = list(stale.values_list("pk", "title", "updated_at")[:BATCH])
    if not rows:
        return 0
    chosen = conversations.filter(pk__in=[pk for pk, _title, _at in rows])
    messages = _unknown_messages(chosen)
    entries: list[Entry] = [(pk, None, words_of(title)) for pk, title, _at in rows]
    entries += [(pk, message, words_of(text)) for pk, message, text in messages]
    try:
        with transaction.atomic():
            _store(entries)
            _mark({pk: at for pk, _title, at in rows})
    except IntegrityError as error:
        log.info("a conversation went while it was indexed: %s", error)
        return 0
    return len(rows)


def _unknown_messages(conversations: QuerySet[Conversation]) -> Iterable[tuple[UUID, UUID, str]]:
    """Messages do not change once they have ended, so each is read once."""
    ended = Message.objects.exclude(status=Message.Status.RUNNING).exclude(text="")
    new = ended.filter(conversation__in=conversations, search_entry=None)
    return new.values_list("conversation", "pk", "text")


def _store(entries: list[Entry]) -> None:
    """Titles replace the entry they had."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            insert into chat_searchentry (conversation_id, message_id, words)
            values (%s, %s, array_to_tsvector(%s::text[]))
            on conflict do nothing
            """,
            [entry for entry in entries if entry[1] is not None],
        )
        cursor.executemany(
            """
            insert into chat_searchentry (conversation_id, message_id, words)
            values (%s, null, array_to_tsvector(%s::text[]))
            on conflict (conversation_id) where message_id is null
            do update set words = excluded.words
            """,
            [(pk, words) for pk, message, words in entries if message is None],
        )


def _mark(seen: dict[UUID, datetime]) -> None:
    """As of what was read: whoever changed a conversation since makes it stale again."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            update chat_conversation c set indexed_at = seen.at
            from unnest(%s::uuid[], %s::timestamptz[]) as seen(id, at)
            where c.id = seen.id
            """,
            [list(seen), list(seen.values())],
        )
