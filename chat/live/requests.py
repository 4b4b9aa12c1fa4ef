"""What a browser may send over the socket, checked before anything is done with it."""

from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import orjson
from django.utils.translation import gettext as _

from accounts.models import User
from agents.models import RunNote
from chat.models import Turn
from chat.services import Place, start_turn
from chat.turns.noting import say
from chat.turns.starting import Wishes
from knowledge.retrieval.understanding import Narrowing
from security.rate_limits import Action, spend
from security.rates import Per
from security.text import storable

MAX_IDS = 100
KNOWN_NARROWINGS = tuple(map(str, Narrowing))
MAX_KEY = 150


class InvalidFrame(Exception):
    """The text says what is wrong with the frame."""

    name = "invalid-input"

    def __init__(self, detail: str) -> None:
        self.title = _("The frame is not valid")
        super().__init__(detail)


def decode(raw: str | bytes) -> dict[str, Any]:
    """A frame as it came over the wire."""
    try:
        frame = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise InvalidFrame(_("Send JSON.")) from None
    if not isinstance(frame, dict):
        raise InvalidFrame(_("Send a JSON object."))
    return frame


@dataclass(frozen=True, slots=True)
class StartTurn:
    """A `turn.start` frame. Its `id` makes it idempotent: repeated, it is the same turn."""

    id: str | int | None
    text: str
    conversation: UUID | None
    parent: UUID | Place
    question: UUID | None
    agent: str | None
    collections: list[UUID] | None
    model: str | None = None
    beside: UUID | None = None
    temporary: bool = False
    attachments: list[UUID] | None = None
    continues: UUID | None = None
    without: tuple[str, ...] = ()

    @classmethod
    def parse(cls, frame: dict[str, Any]) -> Self:
        request_id = frame.get("id")
        if not _is_key(request_id):
            raise InvalidFrame(_("`id` must be a short text."))
        text = frame.get("text") or ""
        if not isinstance(text, str):
            raise InvalidFrame(_("`text` must be a text."))
        agent = frame.get("agent") or None
        if not (agent is None or _is_plain(agent)):
            raise InvalidFrame(_("`agent` must be a slug or an id."))
        return cls(
            id=request_id,
            text=text,
            conversation=_optional_uuid(frame, "conversation"),
            parent=_parent(frame),
            question=_optional_uuid(frame, "question"),
            agent=agent,
            collections=_ids(frame, "collections"),
            model=_model(frame),
            beside=_optional_uuid(frame, "beside"),
            temporary=_flag(frame, "temporary"),
            attachments=_ids(frame, "attachments"),
            continues=_optional_uuid(frame, "continues"),
            without=_narrowings(frame),
        )

    def start(self, user: User) -> Turn:
        return start_turn(user, self.conversation, self.text, **self.wishes)

    @property
    def is_plain(self) -> bool:
        """A first question to an agent, and nothing else."""
        places = (self.conversation, self.question, self.beside, self.continues)
        more = (self.collections, self.model, self.attachments or None)
        return not isinstance(self.parent, UUID) and all(one is None for one in places + more)

    @property
    def wishes(self) -> Wishes:
        return Wishes(
            parent=self.parent,
            question=self.question,
            agent=self.agent,
            collections=self.collections,
            idempotency_key=self.idempotency_key,
            attachments=self.attachments,
            model=self.model,
            beside=self.beside,
            temporary=self.temporary,
            continues=self.continues,
            without=self.without,
        )

    @property
    def idempotency_key(self) -> str | None:
        return None if self.id is None else f"socket:{self.id}"


@dataclass(frozen=True, slots=True)
class Steer:
    """A `turn.steer` frame: something to be said to an answer that is being written. Its `id` makes
    it idempotent."""

    id: str | int | None
    turn_id: UUID
    text: str

    @classmethod
    def parse(cls, frame: dict[str, Any]) -> Self:
        request_id = frame.get("id")
        if not _is_key(request_id):
            raise InvalidFrame(_("`id` must be a short text."))
        text = frame.get("text") or ""
        if not isinstance(text, str):
            raise InvalidFrame(_("`text` must be a text."))
        return cls(request_id, parse_uuid("turn_id", frame.get("turn_id")), text)

    def say(self, user: User, address: str) -> RunNote:
        """The buckets are those of questions."""
        spend(Action.TURNS, {Per.PERSON: str(user.pk), Per.ADDRESS: address})
        key = None if self.id is None else f"socket:{self.id}"
        return say(user, self.turn_id, self.text, key)


def key_of(frame: dict[str, Any]) -> str | int | None:
    """The frame's `id`; None for one that could not be, which may not even be JSON to send back."""
    value = frame.get("id")
    return value if _is_key(value) else None


def _is_key(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return value is None or isinstance(value, int) or (_is_plain(value) and len(value) <= MAX_KEY)


def _is_plain(value: Any) -> bool:
    """A text that can be stored as it is."""
    return isinstance(value, str) and storable(value) == value


def parse_uuid(name: str, value: Any) -> UUID:
    try:
        return UUID(value)
    except (TypeError, ValueError, AttributeError):
        raise InvalidFrame(_("`%s` must be an id.") % name) from None


def parse_stream(frame: dict[str, Any], position: str) -> tuple[UUID, int]:
    """The stream and the position in it that a frame names."""
    seq = frame.get(position, 0)
    if not isinstance(seq, int) or isinstance(seq, bool) or not 0 <= seq < 2**31:
        raise InvalidFrame(_("`%s` must be a number that an event had.") % position)
    return parse_uuid("stream", frame.get("stream")), seq


def _optional_uuid(frame: dict[str, Any], name: str) -> UUID | None:
    value = frame.get(name)
    return None if value is None else parse_uuid(name, value)


def _parent(frame: dict[str, Any]) -> UUID | Place:
    """Missing: after what is shown last. Null: another first question."""
    if "parent" not in frame:
        return Place.LEAF
    return _optional_uuid(frame, "parent") or Place.ROOT


def _ids(frame: dict[str, Any], name: str) -> list[UUID] | None:
    value = frame.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > MAX_IDS:
        raise InvalidFrame(_("`%s` must be a list of ids.") % name)
    return [parse_uuid(name, item) for item in value]


def _flag(frame: dict[str, Any], name: str) -> bool:
    value = frame.get(name)
    if value is not None and not isinstance(value, bool):
        raise InvalidFrame(_("`%s` must be true or false.") % name)
    return bool(value)


def _narrowings(frame: dict[str, Any]) -> tuple[str, ...]:
    value = frame.get("without")
    if value is None:
        return ()
    if not isinstance(value, list) or not all(one in KNOWN_NARROWINGS for one in value):
        raise InvalidFrame(_("`without` must be a list of: %s.") % ", ".join(KNOWN_NARROWINGS))
    return tuple(dict.fromkeys(value))


def _model(frame: dict[str, Any]) -> str | None:
    """Null: the conversation's; empty: the agent's own."""
    value = frame.get("model")
    if not (value is None or _is_plain(value)):
        raise InvalidFrame(_("`model` must be the name of a model."))
    return value
