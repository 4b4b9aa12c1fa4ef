"""Tool calls put together from the pieces in which they are streamed."""

from typing import Any

import orjson

from gateway.errors import UpstreamFailed
from gateway.types import ToolCall, ToolCalls
from security.sentences import Sentence


class ToolCallParts:
    """Pieces by number; `finished` gives the calls only when every one is whole."""

    __slots__ = ("_calls", "length")

    def __init__(self) -> None:
        self._calls: dict[int, list[str]] = {}  # number: id, name, arguments so far
        self.length = 0  # characters of all arguments

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, pieces: Any) -> None:
        """The `tool_calls` of a delta, or of a whole message, whose calls have no number.

        Some servers number nothing and begin each call with its id; some repeat name and id.
        """
        for position, piece in enumerate(pieces):
            number = piece.get("index")
            if not isinstance(number, int):
                number = self._number_of(piece.get("id"), position)
            call = self._calls.setdefault(number, ["", "", ""])
            function = piece.get("function") or {}
            call[0] = call[0] or str(piece.get("id") or "")
            call[1] = call[1] or str(function.get("name") or "")
            arguments = function.get("arguments") or ""
            if not isinstance(arguments, str):  # Ollama's and others' own form: an object
                arguments = orjson.dumps(arguments).decode()
            call[2] += arguments
            self.length += len(arguments)

    def _number_of(self, name: Any, position: int) -> int:
        known = next((n for n, call in self._calls.items() if name and call[0] == name), None)
        if known is not None:
            return known
        return len(self._calls) if name else max(len(self._calls) - 1, position)

    def finished(self) -> ToolCalls:
        """Every call; raises UpstreamFailed if the arguments of one are not whole JSON.

        No arguments at all are an empty object; a call without an id gets its number as one.
        """
        found = []
        for number in sorted(self._calls):
            id_, name, arguments = self._calls[number]
            try:
                is_whole = isinstance(orjson.loads(arguments or "{}"), dict)
            except orjson.JSONDecodeError:
                is_whole = False
            if not (name and is_whole):
                raise UpstreamFailed(Sentence("half_tool_call"))
            found.append(ToolCall(id_ or f"call_{number}", name, arguments or "{}"))
        return ToolCalls(tuple(found))
