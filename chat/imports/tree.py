"""From the nodes of an export to a tree of questions and answers as ours are.

Here every answer follows a question and every question an answer, or nothing. So the pieces of an
answer between tools become one; a question that nobody answered gets an empty answer that says so;
what an assistant said before anybody asked follows an ellipsis.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.utils.translation import gettext_noop as _

from chat.answers.copying import NewMessage
from chat.imports.types import Foreign, Node, Unreadable
from chat.models import Message
from security.ids import new_id
from security.sentences import as_text

LONGEST = 1_000_000  # characters of one message
LARGEST = 64_000_000  # of all that one conversation grows to
UNANSWERED = as_text({"code": "never_answered", "values": {}})  # see chat.spoken
TOO_LARGE = _("This conversation is too large.")
EMPTY = _("There is no question and no answer in it.")
NOBODY_ASKED = "…"
USER, ASSISTANT = Message.Role.USER.value, Message.Role.ASSISTANT.value


@dataclass(slots=True)
class _Answer:
    """An answer whose pieces are still being gathered along one branch."""

    question: UUID
    key: str = ""
    texts: tuple[str, ...] = ()
    thoughts: tuple[str, ...] = ()
    model: str = ""
    at: datetime | None = None
    stored: UUID | None = None


@dataclass(slots=True)
class _Place:
    """Where a branch stands: after a question, inside an answer, or before everything."""

    last: UUID | None = None
    is_question: bool = False
    answer: _Answer | None = None


@dataclass(slots=True)
class Grown:
    """`keys`: what a message is called in every export of this conversation, by its id here: the
    id of its node there, of an answer that of its last piece."""

    messages: list[NewMessage] = field(default_factory=list)
    keys: dict[UUID, str] = field(default_factory=dict)
    leaf_id: UUID | None = None


def grow(foreign: Foreign) -> Grown:
    """The messages, parents first, and which of them is shown last. Raises Unreadable."""
    return _Grower(foreign).run()


class _Grower:
    def __init__(self, foreign: Foreign) -> None:
        self._foreign = foreign
        self._by_id = {node.id: node for node in foreign.nodes}
        self._children: dict[str | None, list[Node]] = {}
        for node in self._by_id.values():
            known = node.parent if node.parent in self._by_id and node.parent != node.id else None
            self._children.setdefault(known, []).append(node)
        self._grown = Grown()
        self._size = 0
        self._current: _Place | None = None

    def run(self) -> Grown:
        """Depth first without recursion; a node in a circle is reached from nowhere."""
        waiting = [(node, _Place()) for node in reversed(self._children.get(None, []))]
        while waiting:
            node, before = waiting.pop()
            place = self._step(node, before)
            if node.id == self._foreign.current:
                self._current = place
            children = self._children.get(node.id, [])
            if not children:
                self._end(place)
            waiting += [(child, place) for child in reversed(children)]
        if not any(message.text for message in self._grown.messages):
            raise Unreadable(EMPTY)
        self._grown.leaf_id = self._leaf()
        return self._grown

    def _step(self, node: Node, place: _Place) -> _Place:
        if node.role == USER:
            self._end(place)
            before = place.answer.stored if place.answer else place.last
            question = self._store(USER, before, node.text, node.at, key=node.id)
            return _Place(question, is_question=True)
        if node.role == ASSISTANT:
            return self._add(node, place)
        return place

    def _add(self, node: Node, place: _Place) -> _Place:
        """One more piece of the answer; a branch that goes on elsewhere keeps its own."""
        begun = place.answer
        if begun is None:
            question = place.last if place.is_question else None
            begun = _Answer(question or self._nobody_asked(node, place))
        longer = _Answer(
            question=begun.question,
            key=node.id,
            texts=(*begun.texts, node.text) if node.text else begun.texts,
            thoughts=(*begun.thoughts, node.reasoning) if node.reasoning else begun.thoughts,
            model=node.model or begun.model,
            at=begun.at or node.at,
        )
        return _Place(answer=longer)

    def _nobody_asked(self, node: Node, place: _Place) -> UUID:
        return self._store(USER, place.last, NOBODY_ASKED, node.at, key=f"before {node.id}")

    def _end(self, place: _Place) -> None:
        """The answer at this place is complete, or there will be none."""
        if place.answer is None:
            if place.is_question and place.last:
                place.answer = _Answer(place.last)
            else:
                return
        answer = place.answer
        if answer.stored is not None:
            return
        text = "\n\n".join(answer.texts)
        answer.stored = self._store(
            ASSISTANT,
            answer.question,
            text,
            answer.at,
            key=answer.key or f"after {self._grown.keys[answer.question]}",
            reasoning="\n\n".join(answer.thoughts),
            model_name=answer.model,
            is_missing=not text,
        )

    def _store(
        self,
        role: str,
        parent: UUID | None,
        text: str,
        at: datetime | None,
        *,
        key: str,
        reasoning: str = "",
        model_name: str = "",
        is_missing: bool = False,
    ) -> UUID:
        self._size += len(text) + len(reasoning)
        if self._size > LARGEST:
            raise Unreadable(TOO_LARGE)
        status = Message.Status.INTERRUPTED if is_missing else Message.Status.COMPLETE
        made = NewMessage(
            id=new_id(),
            parent_id=parent,
            role=role,
            text=text[:LONGEST],
            status=status.value,
            notice=UNANSWERED if is_missing else "",
            reasoning=reasoning[:LONGEST],
            model_name=model_name,
            created_at=at,
        )
        self._grown.messages.append(made)
        self._grown.keys[made.id] = key
        return made.id

    def _leaf(self) -> UUID | None:
        """The end of the branch that was on show, else of the last one."""
        newest = {message.parent_id: message.id for message in self._grown.messages}
        place = self._current
        at: UUID | None = None
        if place is not None:
            at = (place.answer.stored or place.answer.question) if place.answer else place.last
        while (child := newest.get(at)) is not None:
            at = child
        return at


def count_messages(foreign: Foreign) -> int:
    return sum(bool(node.role and node.text) for node in foreign.nodes)
