"""Going on from an answer that broke off: another version of it, which begins with its text.

One that a limit of its run ended goes on with all that its agent has said and found, for the person
who asked alone, and once: its steps are theirs.
"""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404

from accounts.models import User
from agents.models import Agent
from agents.selectors import may_use
from chat.errors import AlreadyContinued, NotAnAnswerable
from chat.models import Conversation, Message, Turn
from chat.turns.carried import handed_over_to, reached_limit

BROKEN_OFF = (Message.Status.STOPPED, Message.Status.INTERRUPTED, Message.Status.FAILED)


def is_broken_off(answer: Message) -> bool:
    """Whether it has a beginning and lacks its end: also at the limit of its length."""
    is_cut = (answer.usage or {}).get("finish_reason") == "length"
    return bool(answer.text) and (answer.status in BROKEN_OFF or is_cut)


def find_broken_off(
    user: User, conversation: Conversation, answer_id: UUID, key: str | None
) -> Message:
    """With its question and its turn. Raises Http404, NotAnAnswerable when nothing is left to say,
    and AlreadyContinued. `key` is that of the request, which may come again."""
    answers = conversation.messages.filter(role=Message.Role.ASSISTANT, parent__isnull=False)
    found: Message | None = answers.select_related("parent", "turn__agent").filter(
        pk=answer_id
    ).first()  # fmt: skip
    if found is None:
        raise Http404
    turn = getattr(found, "turn", None)
    if not reached_limit(found.notice) or turn is None or turn.requested_by_id != user.pk:
        if is_broken_off(found):  # its text alone
            return found
        raise NotAnAnswerable
    earlier = _gone_on_with([found.pk], user)
    if key is not None:
        earlier = earlier.exclude(idempotency_key=key)
    if earlier.exists():
        raise AlreadyContinued
    return found


def may_go_on(user: User, answers: Iterable[Message]) -> set[UUID]:
    """Those that a limit ended and this person may go on with; no query where there is none."""
    ended = {
        answer.pk
        for answer in answers
        if answer.role == Message.Role.ASSISTANT
        and reached_limit(answer.notice)
        and getattr(getattr(answer, "turn", None), "requested_by_id", None) == user.pk
    }
    if not ended:
        return ended
    return ended - set(_gone_on_with(ended, user).values_list("continues", flat=True))


def _gone_on_with(answers: Collection[UUID], user: User) -> QuerySet[Turn]:
    """By this person: others go on from the text alone, which takes nothing away from them."""
    turns = Turn.objects.filter(continues__in=answers, requested_by=user)
    return turns.exclude(status=Turn.Status.FAILED)


def go_on(user: User, turn: Turn, broken: Message) -> None:
    """Let the new turn answer as the one that broke off did, where nothing else was chosen."""
    turn.continues = broken.pk
    before = getattr(broken, "turn", None)
    if before is None:  # a copy: its turn stayed with the original
        return
    handed_to = handed_over_to(broken.steps)
    agent = Agent.objects.filter(pk=handed_to).first() if handed_to else before.agent
    if agent is not None and may_use(user, agent):
        turn.agent = agent
    if not handed_to:  # the model was chosen for who answered first
        turn.model_name = turn.model_name or before.model_name
    if turn.collections is None:
        turn.collections = before.collections
