"""How often the answers of one event loop are read: together, and the more of them, the seldomer.

Tokens come one by one, and each read of one costs as much as a read of ten. So between two ticks a
connection is paused and the kernel gathers; then everything that is there is one read. The first
words of an answer never wait, and neither does a flood. Of many answers only a share is read at
once, each in its turn: whoever begins meanwhile does not wait for all of them.
"""

import asyncio
from typing import Protocol

READ_SECONDS = 0.040
READ_PER_CALL = 0.0016
LONGEST_PAUSE = 0.2
MOST_AT_ONCE = 16
FLOOD_BYTES = 4096  # a read that brought as much is followed by the next at once


class Transport(Protocol):
    def is_closing(self) -> bool: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Pace:
    """One timer for all calls of a loop, and none while nothing is read."""

    def __init__(self) -> None:
        self.calls = 0  # open at the moment
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def window(self) -> float:
        return max(READ_SECONDS, min(READ_PER_CALL * self.calls, LONGEST_PAUSE))

    @property
    def _interval(self) -> float:
        """Between two ticks: so long that everybody's turn comes once in a window."""
        return self.window * min(1.0, MOST_AT_ONCE / max(1, self.calls))

    async def rest(self, transport: Transport | None) -> None:
        """Wait for the next tick, the connection paused meanwhile."""
        if transport is None or transport.is_closing():  # there is nothing more to gather
            return
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_later(self._interval, self._tick)
        tick = loop.create_future()
        self._waiting.append(tick)
        transport.pause_reading()
        try:
            await tick
        finally:
            if not transport.is_closing():
                transport.resume_reading()

    def _tick(self) -> None:
        due, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
        if self._waiting:
            asyncio.get_running_loop().call_later(self._interval, self._tick)
        for tick in due:
            if not tick.done():
                tick.set_result(None)
