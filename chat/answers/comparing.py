"""Answers to one question side by side, until a person goes on with one of them.

The answers of a comparison are its head, which was there first, and those whose turns were begun
beside it. Choosing shows the chosen one from then on; the others stay as versions of it.
"""

from uuid import UUID

from django.db import transaction
from django.http import Http404

from accounts.access import require_editable
from accounts.models import User
from agents.selectors import may_use
from chat.models import Conversation, Message, Preference, Turn
from chat.thread import MessageTree


def members_of(question_id: UUID, head: UUID) -> list[Turn]:
    """The turns whose answers stand side by side, the head first; one only is no comparison."""
    turns = Turn.objects.filter(question=question_id).select_related("agent", "answer")
    return [turn for turn in turns.order_by("pk") if head in (turn.answer_id, turn.comparison)]


def prefer_answer(user: User, message_id: UUID) -> Conversation:
    """Go on with this answer, and with the agent and model that gave it.

    In a comparison that is kept as a preference, which another choice replaces. Raises Http404 and
    PermissionDenied.
    """
    answer: Message = require_editable(Message.objects, user, message_id)
    turn = Turn.objects.filter(answer=answer).select_related("agent").first()
    if answer.role != Message.Role.ASSISTANT or answer.parent_id is None:
        raise Http404
    with transaction.atomic():
        rows = Conversation.objects.select_for_update(no_key=True)
        conversation: Conversation = rows.get(pk=answer.conversation_id)
        changed: dict[str, object] = {"leaf_id": MessageTree(conversation).newest_leaf(answer.pk)}
        if turn is not None:
            changed |= _choice_of(user, turn)
            _note(user, answer, turn)
        Conversation.objects.filter(pk=conversation.pk).update(**changed)
    return conversation


def _choice_of(user: User, turn: Turn) -> dict[str, object]:
    if turn.agent is None or not may_use(user, turn.agent):
        return {"model_name": turn.model_name}
    return {"model_name": turn.model_name, "agent": turn.agent}


def _note(user: User, answer: Message, turn: Turn) -> None:
    head = turn.comparison or answer.pk
    compared = members_of(turn.question_id, head)
    if len(compared) < 2:
        return
    others = [other for other in compared if other.pk != turn.pk]
    Preference.objects.update_or_create(
        question_id=turn.question_id,
        comparison=head,
        defaults={
            "message": answer,
            "person": user,
            "model_name": answer.model_name,
            "others": [other.answer.model_name for other in others],
        },
    )
