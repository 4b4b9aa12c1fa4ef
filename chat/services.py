"""Writes about conversations and turns; each checks the rights of the person it acts for.

What a person may not see raises Http404, exactly as what does not exist.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now
from django.http import Http404

from accounts.models import User
from agents.models import Agent
from agents.selectors import find_usable_agent, may_use
from chat.answers.continuing import find_broken_off, go_on
from chat.attachments.services import choose as choose_attachments
from chat.attachments.services import send as send_attachments
from chat.errors import (
    EmptyQuestion,
    KeyReused,
    NotAnAnswerable,
    QuestionTooLong,
    UnknownModel,
)
from chat.models import Conversation, Message, Turn
from chat.retention.lifetimes import ends_from_now
from chat.turns.fingerprints import fingerprint
from chat.turns.insertion import insert_turn
from chat.turns.titles import title_from
from events import doorbell
from events.notices import What, announce, notice
from gateway.catalogue import is_chat_model
from knowledge.models import Collection, Document
from security.ids import new_id
from security.text import storable

MAX_QUESTION = 100_000
UNFINISHED = (Turn.Status.QUEUED, Turn.Status.RUNNING)


class Place(Enum):
    """Where in a conversation's tree a question goes when no message is named."""

    LEAF = "after the last message shown"
    ROOT = "a first question again"


@dataclass(frozen=True, slots=True)
class Choice:
    """The agent, collections and model a person chose; None where they chose nothing."""

    agent: Agent | None
    collections: list[Collection] | None
    model: str | None = None

    def model_in(self, conversation: Conversation) -> str:
        """Empty: the agent's own. An agent that is chosen by itself comes with its model."""
        if self.model is not None:
            return self.model
        return "" if self.agent else conversation.model_name

    @property
    def collection_ids(self) -> list[str] | None:
        if self.collections is None:
            return None
        return [str(collection.pk) for collection in self.collections]

    @property
    def is_limited(self) -> bool:
        """Whether collections were chosen; that stays when they are deleted."""
        return bool(self.collections)


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key, if there is one, with the request it stands for."""

    text: str | None
    fingerprint: str = ""


def start_turn(
    user: User,
    conversation: UUID | None,
    text: str,
    *,
    parent: UUID | Place = Place.LEAF,
    question: UUID | None = None,
    agent: str | None = None,
    collections: Sequence[UUID] | None = None,
    idempotency_key: str | None = None,
    model: str | None = None,
    beside: UUID | None = None,
    temporary: bool = False,
    attachments: Sequence[UUID] | None = None,
    continues: UUID | None = None,
) -> Turn:
    """Queue a question for the runner; without a conversation a new one is begun.

    An edit names the `parent` its new version follows. `question`, or a `parent` that is itself a
    question with no new text, asks that question again. Questions without a parent line up, also
    when they come at once. `model` is the name of one that is connected, empty for the agent's
    own. A question asked again may stand `beside` an answer it has, and leaves the conversation the
    agent and model it had. A conversation that is begun may be `temporary`.
    `attachments` are what was uploaded for the question, or is attached to one that it edits; with
    them the text may be empty. `continues` is an answer that broke off: another version of it
    begins with its text and goes on from there, by the same agent.
    The same `idempotency_key` gives the same turn, however many requests carry it at once. Raises
    Http404 and ChatError.
    """
    text = storable(text).strip()
    if len(text) > MAX_QUESTION:
        raise QuestionTooLong(MAX_QUESTION)
    chosen = _choose(user, agent, collections, model)
    attached = choose_attachments(user, attachments or ())
    more: dict[str, object] = {
        "model": model,
        "beside": beside,
        "temporary": temporary or None,
        "attachments": [str(document.pk) for document in attached] or None,
        "continues": continues,
    }
    key = _key(idempotency_key, chosen, conversation, text, str(parent), question, more=more)
    try:
        with _together(conversation, attached, chosen):
            title = title_from(text or ", ".join(document.file_name for document in attached))
            place = _open(user, conversation, chosen, title, temporary=temporary)
            broken = find_broken_off(place, continues) if continues else None
            question = broken.parent_id if broken else question
            asked = _question(place, text, parent, question, has_files=bool(attached))
            if asked._state.adding:
                asked.attachments = [document.pk for document in attached]
            turn = _queue(user, place, asked, chosen, key)
            turn.comparison = _compared(asked, beside)
            if broken is not None:
                go_on(user, turn, broken)
            if question is None:
                _remember(place, chosen)
            insert_turn(turn)
            send_attachments(attached, place)
            if chosen.collections is not None:
                place.collections.set(chosen.collections)
            transaction.on_commit(lambda: _ring(turn), robust=True)
            return turn
    except IntegrityError:
        return _same_turn(user, key)


def _together(
    conversation: UUID | None, attached: Sequence[Document], chosen: Choice
) -> AbstractContextManager[None]:
    """A transaction, unless a conversation is begun with nothing but a question: that is a single
    statement, and a transaction would be two round trips before the runner hears of it."""
    is_one = conversation is None and not attached and chosen.collections is None
    return nullcontext() if is_one and not connection.in_atomic_block else transaction.atomic()


def _ring(turn: Turn) -> None:
    """A runner takes it up, and other tabs show it."""
    doorbell.ring_all(
        (doorbell.RUNNERS, {"claim": "turn"}),
        (doorbell.NOTICES, notice(What.ASKED, turn.conversation_id, turn=turn.pk)),
    )


def stop_turn(user: User, turn_id: UUID) -> None:
    """Ask the runner to stop; twice is once, and a finished turn stays as it is. Raises Http404."""
    found = Turn.objects.editable_by(user).filter(pk=turn_id)
    waiting = found.filter(status__in=UNFINISHED, stop_requested_at=None)
    if waiting.update(stop_requested_at=Now()):
        doorbell.ring(doorbell.RUNNERS, {"stop": str(turn_id)})
    elif not found.exists():
        raise Http404


def create_conversation(
    user: User,
    title: str = "",
    agent: str | None = None,
    collections: Sequence[UUID] | None = None,
    model: str | None = None,
    *,
    temporary: bool = False,
) -> Conversation:
    """An empty conversation; its first question names it if `title` is empty. Raises Http404 and
    UnknownModel."""
    chosen = _choose(user, agent, collections, model)
    with transaction.atomic():
        conversation = _new(user, title, chosen)
        conversation.is_named = bool(conversation.title)
        conversation.ends_at = ends_from_now() if temporary else None
        conversation.save(force_insert=True)
        if chosen.collections:
            conversation.collections.set(chosen.collections)
    return conversation


def rename_conversation(user: User, conversation_id: UUID, title: str) -> None:
    """Raises Http404."""
    changed = Conversation.objects.editable_by(user).filter(pk=conversation_id)
    title = " ".join(storable(title).split())[:200]
    if not changed.update(title=title, is_named=bool(title), indexed_at=None):
        raise Http404
    announce(What.RENAMED, conversation_id)


def choose_agent(user: User, conversation_id: UUID, agent: str) -> None:
    """Later questions go to this agent. Raises Http404."""
    conversation = _editable(user, conversation_id)
    Conversation.objects.filter(pk=conversation.pk).update(agent=find_usable_agent(user, agent))


def choose_model(user: User, conversation_id: UUID, model: str) -> None:
    """Later questions go to this model; empty: the agent's own. Raises Http404, UnknownModel."""
    chosen = _choose(user, None, None, model)
    conversation = _editable(user, conversation_id)
    Conversation.objects.filter(pk=conversation.pk).update(model_name=chosen.model or "")


def choose_collections(user: User, conversation_id: UUID, collections: Sequence[UUID]) -> None:
    """Later questions search these only; none means everything visible. Raises Http404."""
    chosen = _choose(user, None, collections)
    with transaction.atomic():
        conversation = _editable(user, conversation_id)
        conversation.collections.set(chosen.collections or ())
        Conversation.objects.filter(pk=conversation.pk).update(is_limited=chosen.is_limited)


def pin_conversation(user: User, conversation_id: UUID, *, is_pinned: bool) -> None:
    """Raises Http404."""
    changed = Conversation.objects.editable_by(user).filter(pk=conversation_id)
    if not changed.update(is_pinned=is_pinned):
        raise Http404
    announce(What.PLACED, conversation_id)


def archive_conversation(user: User, conversation_id: UUID, *, is_archived: bool) -> None:
    """Raises Http404."""
    changed = Conversation.objects.editable_by(user).filter(pk=conversation_id)
    if not changed.update(archived_at=Now() if is_archived else None):
        raise Http404
    announce(What.PLACED, conversation_id)


def _choose(
    user: User, agent: str | None, collections: Sequence[UUID] | None, model: str | None = None
) -> Choice:
    """What `user` chose, after checking that it is theirs to choose. Raises Http404, UnknownModel.

    Only a model that is named costs a query.
    """
    if model and not is_chat_model(model):
        raise UnknownModel(model)
    found = None
    if collections is not None:
        found = list(Collection.objects.visible_to(user).filter(pk__in=collections))
        if len(found) < len(set(collections)):
            raise Http404
    return Choice(find_usable_agent(user, agent) if agent else None, found, model)


def _new(user: User, title: str, chosen: Choice) -> Conversation:
    if not user.is_active:
        raise Http404
    return Conversation(
        owner=user,
        title=storable(title),
        agent=chosen.agent,
        model_name=chosen.model or "",
        is_limited=chosen.is_limited,
    )


def _open(
    user: User, conversation_id: UUID | None, chosen: Choice, title: str, *, temporary: bool
) -> Conversation:
    """The conversation of a question, perhaps not saved yet. A temporary one has no title."""
    if conversation_id is None:
        begun = _new(user, "" if temporary else title, chosen)
        begun.ends_at = ends_from_now() if temporary else None
        return begun
    conversation = _editable(user, conversation_id, lock=True)
    if conversation.is_temporary:
        conversation.ends_at = ends_from_now()
    else:
        conversation.title = conversation.title or title
    if chosen.collections is not None:
        conversation.is_limited = chosen.is_limited
    return conversation


def _remember(conversation: Conversation, chosen: Choice) -> None:
    """Later questions go to this agent and model."""
    conversation.model_name = chosen.model_in(conversation)
    conversation.agent = chosen.agent or conversation.agent


def _editable(user: User, conversation_id: UUID, *, lock: bool = False) -> Conversation:
    """With `lock` whoever asks in it next waits for this transaction, and sees its leaf."""
    everything = Conversation.objects.select_related("agent")
    if lock:
        everything = everything.select_for_update(of=("self",), no_key=True)
    conversation: Conversation | None = everything.filter(pk=conversation_id).first()
    if conversation is None or conversation.deleted_at or not _may_edit(user, conversation):
        raise Http404
    return conversation


def _may_edit(user: User, conversation: Conversation) -> bool:
    """`editable_by` for one row: the usual case, one's own conversation, needs no query."""
    if not user.is_active:
        return False
    if conversation.owner_id == user.pk:
        return True
    return Conversation.objects.editable_by(user).filter(pk=conversation.pk).exists()


def _question(
    conversation: Conversation,
    text: str,
    parent: UUID | Place,
    question: UUID | None,
    *,
    has_files: bool,
) -> Message:
    """The question to answer: a new one, not saved yet, or an old one asked again."""
    if question is not None:
        return _again(_message(conversation, question))
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


def _message(conversation: Conversation, message_id: UUID) -> Message:
    found = Message.objects.filter(conversation=conversation, pk=message_id).first()
    if found is None:
        raise Http404
    return found


def _again(message: Message) -> Message:
    if message.role != Message.Role.USER:
        raise NotAnAnswerable
    return message


def _compared(question: Message, beside: UUID | None) -> UUID | None:
    """The answer at the head of a comparison; raises Http404 unless it answers this question."""
    if beside is None:
        return None
    answers = Message.objects.filter(parent=question, role=Message.Role.ASSISTANT, pk=beside)
    found = answers.values_list("turn__comparison", flat=True)[:1]
    if not found:
        raise Http404
    return found[0] or beside


def _queue(
    user: User,
    conversation: Conversation,
    question: Message,
    chosen: Choice,
    key: Key,
) -> Turn:
    """All rows of a turn, to be inserted; the answer runs until the runner ends it."""
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
    return Agent.objects.filter(is_builtin=True).order_by("pk").first()


def _key(
    text: str | None, chosen: Choice, *asked: object, more: Mapping[str, object] | None = None
) -> Key:
    """`more` is what a question may carry besides; only what it does counts."""
    if text is None:
        return Key(None)
    agent = chosen.agent.pk if chosen.agent else None
    collections = chosen.collection_ids
    ids = None if collections is None else sorted(collections)
    given = {name: value for name, value in (more or {}).items() if value is not None}
    return Key(text, fingerprint(agent, ids, *asked, *([given] if given else [])))


def _same_turn(user: User, key: Key) -> Turn:
    """The turn that took the key first. Raises KeyReused when that was another request, and
    Http404 when it was the conversation that went."""
    if key.text is None:
        raise Http404
    found = Turn.objects.filter(
        requested_by=user, idempotency_key=key.text, conversation__deleted_at=None
    )
    turn = found.select_related("question").first()
    if turn is None:
        raise Http404
    if turn.fingerprint != key.fingerprint:
        raise KeyReused
    return turn
