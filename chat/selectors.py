"""Reads about conversations and turns, shaped for the interfaces."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import OuterRef, Prefetch, Q, QuerySet, Subquery
from django.http import Http404

from accounts.models import User
from agents.models import Agent
from chat.models import Citation, Conversation, Filing, Message, Turn
from events.models import Job
from knowledge.models import Collection, Document
from security.ids import earlier
from security.reading import second_lock

CLOCK_SET_BACK = timedelta(days=1)  # between making a conversation and asking in it, at most


def list_conversations(user: User) -> QuerySet[Conversation]:
    """Conversations `user` may see, each with `role` and `folder_id` (theirs), and those of its
    collections that `user` may see too; temporary ones are in no list."""
    lasting: QuerySet[Conversation] = _described(user).lasting()
    return lasting


def _described(user: User) -> Any:
    visible: QuerySet[Conversation] = Conversation.objects.visible_to(user).annotate_role(user)
    mine = Filing.objects.filter(owner=user, conversation=OuterRef("pk"))
    placed = visible.annotate(folder_id=Subquery(mine.values("folder")))
    return placed.prefetch_related(Prefetch("collections", Collection.objects.visible_to(user)))


def find_conversation(user: User, conversation_id: UUID) -> Conversation:
    """The conversation as `list_conversations` has it, or a temporary one; raises Http404."""
    found: Conversation | None = _described(user).filter(pk=conversation_id).first()
    if found is None:
        raise Http404
    return found


def find_editable(user: User, conversation_id: UUID, *, lock: bool = False) -> Conversation:
    """With `lock` whoever asks in it next waits for this transaction, and sees its leaf. Raises
    Http404."""
    everything = Conversation.objects.select_related("agent")
    if lock:
        everything = everything.select_for_update(of=("self",), no_key=True)
    conversation: Conversation | None = everything.filter(pk=conversation_id).first()
    if conversation is None or conversation.deleted_at or not may_edit(user, conversation):
        raise Http404
    return conversation


def may_edit(user: User, conversation: Conversation) -> bool:
    """`editable_by` for one row: the usual case, one's own conversation, needs no query."""
    if not user.is_active:
        return False
    if conversation.owner_id == user.pk:
        return True
    return Conversation.objects.editable_by(user).filter(pk=conversation.pk).exists()


def list_messages(user: User, conversation_id: UUID) -> QuerySet[Message]:
    """Every message of the conversation's tree, with `citations_for`; raises Http404."""
    conversation = find_conversation(user, conversation_id)
    # Ids are UUIDv7 and the table is partitioned by them: older months need not be looked at.
    rows = Message.objects.visible_to(user).filter(
        conversation=conversation, pk__gte=earlier(conversation.pk, CLOCK_SET_BACK)
    )
    return rows.prefetch_related(citations_for(user))


@second_lock
def find_turn(user: User, turn_id: UUID) -> Turn:
    """The turn with its answer and `citations_for` it; raises Http404."""
    turns = Turn.objects.visible_to(user).select_related("answer")
    found = turns.prefetch_related(citations_for(user, "answer__")).filter(pk=turn_id).first()
    if found is None:
        raise Http404
    return found


def citations_for(user: User | AnonymousUser, path: str = "") -> "Prefetch[str]":
    """Loads the citations of answers, but none of a document that `user` may not see any more."""
    return Prefetch(f"{path}citations", Citation.objects.visible_to(user).with_changes())


def find_job(user: User, job_id: UUID) -> Job:
    """A job of `user` itself, on a document they may see, or on an agent they may change; raises
    Http404."""
    documents = Document.objects.visible_to(user).values("pk")
    return _find_job(user, job_id, documents)


def require_own_job(user: User, job_id: UUID) -> Job:
    """A job that `user` may cancel; raises PermissionDenied if they only see it, or Http404."""
    try:
        return _find_job(user, job_id, Document.objects.editable_by(user).values("pk"))
    except Http404:
        find_job(user, job_id)
        raise PermissionDenied from None


def _find_job(user: User, job_id: UUID, documents: QuerySet[Document, Any]) -> Job:
    """A job on something belongs to those who may see that, whoever asked for it."""
    own = Q(owner_id=user.pk, subject_id=None)
    agents = Agent.objects.editable_by(user).values("pk")
    on = Q(subject_id__in=documents) | Q(subject_id__in=agents)
    found = Job.objects.filter(own | on, pk=job_id).first()
    if found is None or not user.is_active:
        raise Http404
    return found
