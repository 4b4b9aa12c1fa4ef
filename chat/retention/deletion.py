"""Deleting a conversation, taking that back, and removing it for good when the time for it is over.

What is deleted is out of sight at once, for everyone and everywhere: `visible_to` leaves it out.
"""

import logging
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.http import Http404

from accounts.models import Grant, User
from accounts.services import forget_grants
from agents.approvals.asking import forget as forget_approvals
from agents.approvals.asking import withdraw
from agents.reuse.forgetting import forget_answers_of
from agents.running.keeping import forget_runs
from chat.models import Conversation, Message, Turn
from chat.services import UNFINISHED
from events import doorbell, leases
from events.notices import What, announce
from events.waking import wake
from knowledge import shelves
from security import audit
from security.acts import Act

GRACE = timedelta(minutes=10)
BATCH = 100  # conversations a transaction, so that a purge never holds many locks for long

log = logging.getLogger(__name__)


def delete_conversation(user: User, conversation_id: UUID) -> None:
    """Out of sight at once; a running answer is stopped, what it said is kept. Raises Http404.

    A temporary conversation is removed for good at once. What agents would have given this person
    again is forgotten: nothing tells which of it was said here.
    """
    with transaction.atomic():
        found = Conversation.objects.owned_by(user).filter(pk=conversation_id)
        is_temporary = found.exclude(ends_at=None).exists()
        if not found.update(deleted_at=Now()):
            raise Http404
        audit.record(Act.CONVERSATION_DELETED, Conversation(pk=conversation_id), by=user, title="")
        turns = Turn.objects.filter(conversation=conversation_id, status__in=UNFINISHED)
        running = list(turns.values_list("pk", flat=True))
        turns.filter(stop_requested_at=None).update(stop_requested_at=Now())
        withdraw(running)
        shelves.withdraw(conversation_id)
        announce(What.DELETED, conversation_id, [user.pk] if is_temporary else ())
        if is_temporary:
            remove([conversation_id])
        else:
            transaction.on_commit(partial(forget_answers_of, user.pk))
    for turn_id in running:
        wake(turn_id)
        doorbell.ring(doorbell.RUNNERS, {"stop": str(turn_id)})


def restore_conversation(user: User, conversation_id: UUID) -> None:
    """Back where it was, grants and all; twice is once. Raises Http404 when it is purged."""
    deleted = Conversation.objects.restorable_by(user).filter(pk=conversation_id)
    with transaction.atomic():
        if deleted.update(deleted_at=None):
            shelves.bring_back(conversation_id)
            restored = Conversation(pk=conversation_id)
            audit.record(Act.CONVERSATION_RESTORED, restored, by=user, title="")
            announce(What.RESTORED, conversation_id)
            return
    if not Conversation.objects.owned_by(user).filter(pk=conversation_id).exists():
        raise Http404


def purge_deleted() -> int:
    """Remove what was deleted longer ago than GRACE; how many. The clock calls this."""
    count = 0
    while purged := _purge_some():
        count += purged
    if count:
        log.info("%s deleted conversations were purged", count)
    return count


@transaction.atomic
def _purge_some() -> int:
    """Rows that are being restored this moment are left alone."""
    due = Conversation.objects.filter(deleted_at__lt=Now() - GRACE)
    gone = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:BATCH])
    if gone:
        remove(gone)
    return len(gone)


def remove(conversation_ids: list[UUID]) -> None:
    """Delete conversations with messages, turns, events and grants, in the caller's transaction."""
    turns = list(
        Turn.objects.filter(conversation__in=conversation_ids).values_list("pk", flat=True)
    )
    # First: whoever ends a turn, or writes a title, locks its stream, then the rows.
    leases.delete([*turns, *conversation_ids])
    forget_runs(turns)
    shelves.clear(conversation_ids)
    forget_approvals(conversation_ids)
    forget_grants(Grant.Kind.CONVERSATION, *conversation_ids)
    Conversation.objects.filter(pk__in=conversation_ids).delete()


def remove_everything_of(user: User) -> None:
    """Delete conversations of a person who goes, in the caller's transaction (`DEPARTURES`).

    In conversations of others their questions stay; what was still being answered is stopped.
    """
    owned = Conversation.objects.filter(owner=user).order_by("pk")
    remove(list(owned.select_for_update().values_list("pk", flat=True)))
    turns = Turn.objects.filter(requested_by=user)
    leases.delete(turns.values_list("pk", flat=True))
    running = turns.filter(status__in=UNFINISHED).values("answer_id")
    Message.objects.filter(pk__in=running).update(status=Message.Status.STOPPED)
    turns.delete()
