"""JSON read piece by piece: the conversations of a file one after another, in flat memory.

A file may be a list of conversations, or one conversation after another. What is nested too deep,
or one text without an end, ends the reading; a conversation that is too large is passed over.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import ijson  # type: ignore[import-untyped]
from django.utils.translation import gettext_noop as _

from chat.imports.types import Unreadable

DEEPEST = 64
LARGEST = 32_000_000  # characters of one conversation
MOST = 2_000_000  # values in it
LONGEST_SILENCE = 40_000_000  # bytes in which nothing begins or ends
BOM = b"\xef\xbb\xbf"

NO_JSON = _("The file is damaged, or is no JSON.")
TOO_DEEP = _("The file is nested too deeply to be an export.")
TOO_LARGE = _("This conversation is too large.")
NO_CONVERSATIONS = _("There are no conversations in this file.")

OPENING = {"start_map", "start_array"}
CLOSING = {"end_map", "end_array"}


def read_items(pieces: Iterable[bytes]) -> Iterator[dict[str, Any] | Unreadable]:
    """The objects of the list, or of the file, as they come. Raises Unreadable for the rest."""
    events: Any = ijson.sendable_list()
    parser = ijson.basic_parse_coro(events, use_float=True, multiple_values=True)
    gatherer = _Gatherer()
    silence = 0
    for piece in _without_bom(pieces):
        _send(parser, piece)
        silence = 0 if events else silence + len(piece)
        if silence > LONGEST_SILENCE:
            raise Unreadable(NO_JSON)
        yield from gatherer.take(events)
        del events[:]
    _send(parser, None)
    yield from gatherer.take(events)


def _send(parser: Any, piece: bytes | None) -> None:
    """None ends the file."""
    try:
        if piece is None:
            parser.close()
        else:
            parser.send(piece)
    except (ijson.JSONError, ValueError, StopIteration) as error:
        raise Unreadable(NO_JSON) from error


def _without_bom(pieces: Iterable[bytes]) -> Iterator[bytes]:
    is_first = True
    for piece in pieces:
        yield piece.removeprefix(BOM) if is_first else piece
        is_first = False


class _Gatherer:
    """Builds the objects at the top, or in the list at the top, out of parser events."""

    def __init__(self) -> None:
        self._depth = 0
        self._base = 0  # the depth at which conversations stand
        self._builder: Any = None
        self._values = self._characters = 0

    def take(self, events: Iterable[tuple[str, Any]]) -> Iterator[dict[str, Any] | Unreadable]:
        for event, value in events:
            found = self._step(event, value)
            if found is not None:
                yield found

    def _step(self, event: str, value: Any) -> dict[str, Any] | Unreadable | None:
        if self._depth == 0 and event == "start_array":
            self._base = self._depth = 1
            return None
        if self._depth == self._base == 1 and event == "end_array":
            self._base = self._depth = 0
            return None
        if self._depth == self._base:
            return self._begin(event, value)
        return self._go_on(event, value)

    def _begin(self, event: str, value: Any) -> Unreadable | None:
        if event != "start_map":
            raise Unreadable(NO_CONVERSATIONS)
        self._values = self._characters = 0
        self._builder = ijson.ObjectBuilder()
        self._builder.event(event, value)
        self._depth += 1
        return None

    def _go_on(self, event: str, value: Any) -> dict[str, Any] | Unreadable | None:
        self._values += 1
        self._characters += len(value) if isinstance(value, str) else 0
        if self._values > MOST or self._characters > LARGEST:
            self._builder = None
        if self._builder is not None:
            self._builder.event(event, value)
        if event in OPENING:
            self._depth += 1
            if self._depth > DEEPEST:
                raise Unreadable(TOO_DEEP)
        elif event in CLOSING:
            self._depth -= 1
            if self._depth == self._base:
                return self._end()
        return None

    def _end(self) -> dict[str, Any] | Unreadable:
        builder, self._builder = self._builder, None
        return Unreadable(TOO_LARGE) if builder is None else builder.value
