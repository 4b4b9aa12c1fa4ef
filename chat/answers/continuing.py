"""Going on from an answer that broke off: another version of it, which begins with its text."""

from uuid import UUID

from django.http import Http404

from accounts.models import User
from agents.selectors import may_use
from chat.errors import NotAnAnswerable
from chat.models import Conversation, Message, Turn

BROKEN_OFF = (Message.Status.STOPPED, Message.Status.INTERRUPTED, Message.Status.FAILED)


def is_broken_off(answer: Message) -> bool:
    """Whether it has a beginning and lacks its end: also at the limit of its length."""
    is_cut = (answer.usage or {}).get("finish_reason") == "length"
    return bool(answer.text) and (answer.status in BROKEN_OFF or is_cut)


def find_broken_off(conversation: Conversation, answer_id: UUID) -> Message:
    """With its question and its turn. Raises Http404, and NotAnAnswerable when nothing is left to
    say."""
    answers = conversation.messages.filter(role=Message.Role.ASSISTANT, parent__isnull=False)
    found: Message | None = answers.select_related("parent", "turn__agent").filter(
        pk=answer_id
    ).first()  # fmt: skip
    if found is None:
        raise Http404
    if not is_broken_off(found):
        raise NotAnAnswerable
    return found


def go_on(user: User, turn: Turn, broken: Message) -> None:
    """Let the new turn answer as the one that broke off did, where nothing else was chosen."""
    turn.continues = broken.pk
    before = getattr(broken, "turn", None)
    if before is None:  # a copy: its turn stayed with the original
        return
    if before.agent is not None and may_use(user, before.agent):
        turn.agent = before.agent
    turn.model_name = turn.model_name or before.model_name
    if turn.collections is None:
        turn.collections = before.collections
