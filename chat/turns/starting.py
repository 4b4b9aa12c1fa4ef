"""A question becomes rows for a runner: one transaction, most often one statement."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.http import Http404

from accounts.models import User
from agents.approvals.asking import withdraw
from agents.models import Agent
from agents.selectors import may_use
from chat.answers.continuing import find_broken_off, go_on
from chat.attachments.services import choose as choose_attachments
from chat.attachments.services import send as send_attachments
from chat.choosing import Choice, choose, new_conversation
from chat.errors import QuestionTooLong
from chat.models import Conversation, Message, Turn
from chat.retention.lifetimes import ends_from_now
from chat.selectors import find_editable
from chat.turns.insertion import insert_turn
from chat.turns.keys import Key, key_of, same_turn
from chat.turns.questions import Place, find_question, head_of_comparison
from chat.turns.titles import title_from
from events import doorbell
from events.notices import What, notice
from events.waking import wake
from knowledge.models import Document
from security.ids import new_id
from security.text import storable

FOR_RUNNERS = (doorbell.RUNNERS, {"claim": "turn"})
MAX_QUESTION = 100_000
UNFINISHED = (Turn.Status.QUEUED, Turn.Status.RUNNING, Turn.Status.WAITING)


class Wishes(TypedDict, total=False):
    """What may come with a question.

    An edit names the `parent` its new version follows. `question`, or a `parent` that is itself a
    question with no new text, asks that question again. Questions without a parent line up, also
    when they come at once. `model` is the name of one that is connected, empty for the agent's
    own. A question asked again may stand `beside` an answer it has, and leaves the conversation the
    agent and model it had. A conversation that is begun may be `temporary`.
    `attachments` are what was uploaded for the question, or is attached to one that it edits; with
    them the text may be empty. `continues` is an answer that broke off: another version of it
    begins with its text and goes on from there, by the same agent. `token` is the one by which it
    is asked, if any; `without` are narrowings that its words seem to name and that nobody wants.
    The same `idempotency_key` gives the same turn, however many requests carry it at once.
    """

    parent: UUID | Place
    question: UUID | None
    agent: str | None
    collections: Sequence[UUID] | None
    idempotency_key: str | None
    model: str | None
    beside: UUID | None
    temporary: bool
    attachments: Sequence[UUID] | None
    continues: UUID | None
    token: UUID | None
    without: Sequence[str]


@dataclass(frozen=True)
class Asked:
    """A question whose wishes are this person's to have."""

    conversation: UUID | None
    text: str
    chosen: Choice
    attached: Sequence[Document]
    wishes: Wishes

    @property
    def title(self) -> str:
        return title_from(self.text or ", ".join(file.file_name for file in self.attached))

    @cached_property
    def key(self) -> Key:
        return self.key_with(self.chosen.agent.pk if self.chosen.agent else None)

    def key_with(self, agent: UUID | None) -> Key:
        wishes = self.wishes
        more: dict[str, object] = {
            "model": wishes.get("model"),
            "beside": wishes.get("beside"),
            "temporary": wishes.get("temporary") or None,
            "attachments": [str(document.pk) for document in self.attached] or None,
            "continues": wishes.get("continues"),
            "without": list(wishes.get("without") or ()) or None,
        }
        parent = str(wishes.get("parent", Place.LEAF))
        asked = (self.conversation, self.text, parent, wishes.get("question"))
        text = wishes.get("idempotency_key")
        return key_of(text, agent, self.chosen, *asked, more=more)

    def together(self) -> AbstractContextManager[None]:
        """A transaction, unless a conversation is begun with nothing but a question: that is a
        single statement, and a transaction would be two round trips before the runner hears."""
        has_more = self.conversation or self.attached or self.chosen.collections is not None
        if has_more or connection.in_atomic_block:
            return transaction.atomic()
        return nullcontext()


def start_turn(user: User, conversation: UUID | None, text: str, **wishes: Unpack[Wishes]) -> Turn:
    """Queue a question for the runner; without a conversation a new one is begun.

    Raises Http404 and ChatError.
    """
    text = storable(text).strip()
    if len(text) > MAX_QUESTION:
        raise QuestionTooLong(MAX_QUESTION)
    chosen = choose(user, wishes.get("agent"), wishes.get("collections"), wishes.get("model"))
    attached = choose_attachments(user, wishes.get("attachments") or ())
    asked = Asked(conversation, text, chosen, attached, wishes)
    try:
        with asked.together():
            place = _open(user, asked)
            turn = _made(user, place, asked)
            insert_turn(turn)
            send_attachments(attached, place)
            if chosen.collections is not None:
                place.collections.set(chosen.collections)
            ring = partial(ring_for, turn.pk, turn.conversation_id)
            transaction.on_commit(ring, robust=True)
            return turn
    except IntegrityError:
        return same_turn(user, asked.key)


def stop_turn(user: User, turn_id: UUID) -> None:
    """Ask the runner to stop; twice is once, and a finished turn stays as it is. Raises Http404."""
    found = Turn.objects.editable_by(user).filter(pk=turn_id)
    waiting = found.filter(status__in=UNFINISHED, stop_requested_at=None)
    if waiting.update(stop_requested_at=Now()):
        withdraw([turn_id])
        wake(turn_id)
        doorbell.ring(doorbell.RUNNERS, {"stop": str(turn_id)})
    elif not found.exists():
        raise Http404


def _open(user: User, asked: Asked) -> Conversation:
    """The conversation of a question, perhaps not saved yet. A temporary one has no title."""
    chosen, is_temporary = asked.chosen, asked.wishes.get("temporary", False)
    if asked.conversation is None:
        begun = new_conversation(user, "" if is_temporary else asked.title, chosen)
        begun.ends_at = ends_from_now() if is_temporary else None
        return begun
    conversation = find_editable(user, asked.conversation, lock=True)
    if conversation.is_temporary:
        conversation.ends_at = ends_from_now()
    else:
        conversation.title = conversation.title or asked.title
    if chosen.collections is not None:
        conversation.is_limited = chosen.is_limited
    return conversation


def _made(user: User, place: Conversation, asked: Asked) -> Turn:
    """All rows of the turn, to be inserted."""
    wishes, chosen, attached = asked.wishes, asked.chosen, asked.attached
    continues, again = wishes.get("continues"), wishes.get("question")
    broken = find_broken_off(user, place, continues, asked.key.text) if continues else None
    again = broken.parent_id if broken else again
    parent = wishes.get("parent", Place.LEAF)
    question = find_question(place, asked.text, parent, again, has_files=bool(attached))
    if question._state.adding:
        question.attachments = [document.pk for document in attached]
    turn = _queue(user, place, question, chosen, asked.key)
    turn.token_id = wishes.get("token")
    turn.without = list(wishes.get("without") or ())
    turn.comparison = head_of_comparison(question, wishes.get("beside"))
    if broken is not None:
        go_on(user, turn, broken)
    if again is None:  # later questions go to this agent and model
        place.model_name = chosen.model_in(place)
        place.agent = chosen.agent or place.agent
    return turn


def _queue(
    user: User,
    conversation: Conversation,
    question: Message,
    chosen: Choice,
    key: Key,
) -> Turn:
    """The answer runs until the runner ends it."""
    answer = Message(
        id=new_id(),
        conversation=conversation,
        parent=question,
        role=Message.Role.ASSISTANT,
        status=Message.Status.RUNNING,
    )
    turn = Turn(
        id=new_id(),
        conversation=conversation,
        question=question,
        answer=answer,
        agent=chosen.agent or _usual_agent(user, conversation),
        model_name=chosen.model_in(conversation),
        requested_by=user,
        collections=chosen.collection_ids,
        idempotency_key=key.text,
        fingerprint=key.fingerprint,
    )
    conversation.leaf_id = answer.pk
    return turn


def _usual_agent(user: User, conversation: Conversation) -> Agent | None:
    """The conversation's agent while the person asking may use it, else the built-in one."""
    if conversation.agent is not None:
        agent = conversation.agent
        if may_use(user, agent):
            return agent
    builtin: Agent | None = Agent.objects.filter(is_builtin=True).order_by("pk").first()
    return builtin


def ring_for(turn_id: UUID, conversation_id: UUID) -> None:
    """A runner takes it up, and other tabs show it."""
    doorbell.ring_all(FOR_RUNNERS, for_tabs(turn_id, conversation_id))


def for_tabs(turn_id: UUID, conversation_id: UUID) -> tuple[str, Any]:
    return doorbell.NOTICES, notice(What.ASKED, conversation_id, turn=turn_id)
