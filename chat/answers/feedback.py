"""What people think of answers: a thumb, reasons and a word, changeable and theirs to take back."""

from collections.abc import Collection
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.http import Http404
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from chat.models import Feedback, Message, Turn
from security.text import storable

MAX_COMMENT = 2000


class Reason(models.TextChoices):
    """Codes, as evaluation wants them; the first three praise."""

    CORRECT = "correct", _("Correct")
    CLEAR = "clear", _("Clear")
    WELL_SOURCED = "well-sourced", _("Good sources")
    WRONG = "wrong", _("Not correct")
    INCOMPLETE = "incomplete", _("Something is missing")
    UNSOURCED = "unsourced", _("The sources do not say that")
    NOT_FOLLOWED = "not-followed", _("Not what I asked for")
    STYLE = "style", _("Too long, or the wrong tone")


PRAISE = (Reason.CORRECT, Reason.CLEAR, Reason.WELL_SOURCED)
BLAME = tuple(reason for reason in Reason if reason not in PRAISE)


def rate_answer(
    user: User, message_id: UUID, rating: int, reasons: Collection[str] = (), comment: str = ""
) -> Feedback:
    """What `user` thinks of this answer from now on. Raises Http404 unless it is an answer they may
    see."""
    answer = _answer(user, message_id)
    turn = Turn.objects.filter(answer=answer).only("agent").first()
    known = [reason.value for reason in Reason if reason.value in reasons]
    feedback, _is_new = Feedback.objects.update_or_create(
        message=answer,
        person=user,
        defaults={
            "rating": rating,
            "reasons": known,
            "comment": storable(comment).strip()[:MAX_COMMENT],
            "model_name": answer.model_name,
            "agent_id": turn.agent_id if turn else None,
        },
    )
    return feedback


def take_back(user: User, message_id: UUID) -> None:
    """Twice is once. Raises Http404."""
    Feedback.objects.editable_by(user).filter(message=_answer(user, message_id)).delete()


def find_feedback(user: User, message_id: UUID) -> Feedback:
    """Raises Http404, also when `user` has said nothing yet."""
    own = Feedback.objects.visible_to(user)
    found: Feedback | None = own.filter(message=message_id).first()
    if found is None:
        raise Http404
    return found


def feedback_on(user: User | AnonymousUser, message_ids: Collection[UUID]) -> dict[UUID, Feedback]:
    """What `user` thinks of these answers, which they may see."""
    if not message_ids or not isinstance(user, User):
        return {}
    found = Feedback.objects.filter(person=user, message__in=message_ids)
    return {feedback.message_id: feedback for feedback in found}


def _answer(user: User, message_id: UUID) -> Message:
    answers = Message.objects.visible_to(user).filter(role=Message.Role.ASSISTANT)
    found = answers.filter(pk=message_id).first()
    if found is None:
        raise Http404
    return found
