"""The question that a turn answers: where a new one goes, or which old one is asked again."""

from enum import Enum
from uuid import UUID

from django.http import Http404

from chat.errors import EmptyQuestion, NotAnAnswerable
from chat.models import Conversation, Message


class Place(Enum):
    """Where in a conversation's tree a question goes when no message is named."""

    LEAF = "after the last message shown"
    ROOT = "a first question again"


def find_question(
    conversation: Conversation,
    text: str,
    parent: UUID | Place,
    question: UUID | None,
    *,
    has_files: bool,
) -> Message:
    """The question to answer: a new one, not saved yet, or an old one asked again."""
    if question is not None:
        return _again(_find(conversation, question))
    before = conversation.leaf_id if parent is Place.LEAF else None
    if isinstance(parent, UUID):
        before = parent
    if before is not None:
        found = Message.objects.filter(conversation=conversation, pk=before).first()
        if found is None and isinstance(parent, UUID):
            raise Http404
        if found is not None and found.role == Message.Role.USER:
            if text or has_files:
                raise NotAnAnswerable
            return _again(found)
        before = found.pk if found else None
    if not (text or has_files):
        raise EmptyQuestion
    return Message(conversation=conversation, parent_id=before, role=Message.Role.USER, text=text)


def _find(conversation: Conversation, message_id: UUID) -> Message:
    found = Message.objects.filter(conversation=conversation, pk=message_id).first()
    if found is None:
        raise Http404
    return found


def _again(message: Message) -> Message:
    if message.role != Message.Role.USER:
        raise NotAnAnswerable
    return message


def head_of_comparison(question: Message, beside: UUID | None) -> UUID | None:
    """The answer at the head of a comparison; raises Http404 unless it answers this question."""
    if beside is None:
        return None
    answers = Message.objects.filter(parent=question, role=Message.Role.ASSISTANT, pk=beside)
    found = answers.values_list("turn__comparison", flat=True)[:1]
    if not found:
        raise Http404
    return found[0] or beside
