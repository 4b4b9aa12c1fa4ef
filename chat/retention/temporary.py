"""Conversations that leave nothing behind.

One is begun with `temporary: true`. It is in no list, search or export, has no title, and is shared
with nobody. It ends when its owner says so, shortly after its last open page was closed, and at the
latest `PARLEY_TEMPORARY_HOURS` after it was last used: then its rows are deleted, not hidden. What
stays are numbers: how many tokens were used, and that something was deleted.

Every open page has a `visit` of its own making. A page that is loaded again is there before the old
one says that it goes, or a moment after: either way somebody is in.
"""

import logging
from uuid import UUID

from django.db import connection, transaction
from django.db.models.functions import Now
from django.http import Http404

from accounts.models import User
from chat.models import Conversation, Message
from chat.retention.deletion import remove
from chat.retention.lifetimes import LEFT, ends_from_now
from chat.turns.titles import title_from
from events.notices import What, announce

BATCH = 100

log = logging.getLogger(__name__)


def enter(user: User, conversation_id: UUID, visit: UUID) -> None:
    """A page shows the conversation. Raises Http404."""
    _visit(
        user,
        """
        update chat_conversation
        set visits = array_append(array_remove(visits, %(visit)s), %(visit)s), ends_at = %(end)s
        where id = %(id)s and owner_id = %(owner)s and ends_at is not null and deleted_at is null
        """,
        conversation_id,
        visit,
    )


def leave(user: User, conversation_id: UUID, visit: UUID) -> None:
    """The page is closed; it was the last one, perhaps. Raises Http404."""
    _visit(
        user,
        """
        update chat_conversation
        set visits = array_remove(visits, %(visit)s),
            ends_at = case when coalesce(array_remove(visits, %(visit)s), '{}') = '{}'
                           then least(ends_at, now() + make_interval(secs => %(left)s))
                           else ends_at end
        where id = %(id)s and owner_id = %(owner)s and ends_at is not null and deleted_at is null
        """,
        conversation_id,
        visit,
    )


def keep_conversation(user: User, conversation_id: UUID) -> None:
    """From now on it is one like any other, under its first question. Twice is once. Raises
    Http404."""
    with transaction.atomic():
        own = Conversation.objects.owned_by(user).select_for_update(of=("self",))
        kept = own.filter(pk=conversation_id).first()
        if kept is None:
            raise Http404
        if not kept.is_temporary:
            return
        questions = Message.objects.filter(conversation=kept, role=Message.Role.USER)
        first = questions.order_by("pk").values_list("text", flat=True).first()
        Conversation.objects.filter(pk=kept.pk).update(
            ends_at=None,
            visits=None,
            title=kept.title or title_from(first or ""),
            indexed_at=None,
        )
        announce(What.RESTORED, kept.pk)


def remove_ended() -> int:
    """Delete those whose time is over; how many. The clock calls this."""
    count = 0
    while removed := _remove_some():
        count += removed
    if count:
        log.info("%s temporary conversations were removed", count)
    return count


@transaction.atomic
def _remove_some() -> int:
    """One that is being used this moment is left alone."""
    due = Conversation.objects.filter(ends_at__lt=Now())
    gone = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:BATCH])
    if gone:
        remove(gone)
    return len(gone)


def _visit(user: User, statement: str, conversation_id: UUID, visit: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {
                "id": conversation_id,
                "owner": user.pk,
                "visit": visit,
                "end": ends_from_now(),
                "left": LEFT.total_seconds(),
            },
        )
        if not cursor.rowcount:
            raise Http404
