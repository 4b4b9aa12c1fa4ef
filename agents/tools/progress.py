"""How far a call is, told while it runs: not more often than anybody can read, the newest last."""

import asyncio
import math
from collections.abc import Callable

from agents.types import ToolProgressed
from security.invisible import without_invisible
from security.text import storable

APART = 0.5  # seconds between two words of one call
LONGEST = 200  # characters
MOST = 1e12


class Progress:
    """The `tell` of one call. What comes too soon waits, and gives way to what comes later."""

    def __init__(self, call_id: str, tell: Callable[[ToolProgressed], None]) -> None:
        self._call_id = call_id
        self._tell = tell
        self._told_at = -math.inf
        self._next: ToolProgressed | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    def __call__(
        self, text: str = "", done: float | None = None, total: float | None = None
    ) -> None:
        if self._is_closed:
            return
        self._next = ToolProgressed(self._call_id, readable(text), _number(done), _number(total))
        if self._timer is None:
            loop = asyncio.get_running_loop()
            due = max(loop.time(), self._told_at + APART)
            self._timer = loop.call_at(due, self._say)

    def close(self) -> None:
        """The call has ended: nothing is said of it any more."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()

    def _say(self) -> None:
        self._timer = None
        self._told_at = asyncio.get_running_loop().time()
        if self._next is not None:
            self._tell(self._next)


def readable(text: str) -> str:
    """One short line, without what nobody sees."""
    line = " ".join(without_invisible(storable(text[: LONGEST * 4]))[0].split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _number(value: float | None) -> float | None:
    """What counts something; a server may say anything."""
    return value if value is not None and math.isfinite(value) and 0 <= value <= MOST else None
