"""What a run's model is told and says after the question, and the passages that come on the way."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from agents.types import PackedPassage
from gateway.types import ChatRequest, RawMessage, ToolCall

NO_MORE = (
    "No more tools can be called in this run. Answer now with what you have, and say what is "
    "missing."
)

GO_ON = "Go on where you had to stop: you can call tools again."
NOT_MADE = "It was not called, or not to its end: a limit of the run was reached."

Key = tuple[tuple[UUID, int], ...]  # of passages that are shown as one
LONGEST_ID = 64  # of a call: some servers put much into it


class Numbers:
    """Passages under the numbers by which they are cited: each has one, once and for all."""

    def __init__(self, passages: Iterable[PackedPassage], after: int = 0) -> None:
        self._known = {_key(passage): passage.n for passage in passages}
        self._after = after

    def keep(self, taken: Mapping[Key, int]) -> None:
        """Also numbers whose passages are not here any more: they are nobody else's."""
        self._known |= taken

    @property
    def taken(self) -> int:
        return max(self._known.values(), default=self._after)

    def give(self, passages: Iterable[PackedPassage]) -> tuple[PackedPassage, ...]:
        """The same passages under the next free numbers; one that is known keeps its own."""
        found = []
        for passage in passages:
            n = self._known.setdefault(_key(passage), self.taken + 1)
            found.append(replace(passage, n=n))
        return tuple(found)


def _key(passage: PackedPassage) -> Key:
    return tuple((part.chunk_id, part.start) for part in passage.parts)


class Transcript:
    """The messages behind those of the request, as the protocol has them."""

    def __init__(self, request: ChatRequest, within: str = "") -> None:
        """`within` is the call in which this run was begun: ids of its own calls stand behind."""
        self._request = request
        self._within = f"{within}/" if within else ""
        self._messages: list[RawMessage] = []
        self._ids: set[str] = set()
        self.labels = request.required_labels  # of whoever reads what came in

    def unlike(self, calls: Sequence[ToolCall]) -> list[ToolCall]:
        """With short ids of their own: some servers begin again with each answer."""
        found = []
        for call in calls:
            name = own_id(call.id)
            if not name or len(name) > LONGEST_ID or name in self._ids:
                name = f"call_{len(self._ids) + 1}"
            self._ids.add(name)
            found.append(replace(call, id=self._within + name))
        return found

    def add(self, said: str, calls: Sequence[ToolCall], results: Mapping[str, str]) -> None:
        """What the model said and called, and what it is told of each call."""
        before = self._request.continues if not self._messages else ""
        calling = {"tool_calls": list(map(_call, calls))} if calls else {}
        self._messages += [
            {"role": "assistant", "content": before + said, **calling},
            *(
                {"role": "tool", "tool_call_id": own_id(one.id), "content": results[one.id]}
                for one in calls
            ),
        ]

    def hear(self, text: str) -> None:
        """The person says something: their word, like the question."""
        self._messages.append({"role": "user", "content": text})

    def request(self, *, may_call: bool = True) -> ChatRequest:
        if not self._messages:
            return self._request
        messages = [*self._messages]
        if not may_call:
            last = messages[-1]
            messages[-1] = {**last, "content": f"{last['content']}\n\n{NO_MORE}"}
        return replace(
            self._request,
            messages=(*self._request.messages, *messages),
            continues="",
            required_labels=self.labels,
            # With the tools there still: what was called must have been declared, servers say.
            tool_choice=None if may_call else "none",
        )


def own_id(call_id: str) -> str:
    """Without the calls in which it was made: as its model knows it."""
    return call_id.rpartition("/")[-1]


def _call(call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments or "{}"}
    return {"id": own_id(call.id), "type": "function", "function": function}
