"""Time limits of one streamed answer with one timer, however many reads it takes."""

import asyncio
from typing import Protocol

from gateway.errors import EndpointTimeout
from gateway.types import Timeouts
from security.sentences import Sentence

NEVER_BEGAN, STOPPED, TOO_LONG = "no_answer", "fell_silent", "took_too_long"  # codes of sentences


class Closable(Protocol):
    def close(self) -> None: ...


class Watchdog:
    """Closes a response that stays silent: no first word, a pause too long, or no end at all.

    Closing wakes the pending read with an error; `verdict` then says which limit it was. Time the
    reader spends elsewhere (`is_waiting` is false) does not count as a pause of the server.
    """

    def __init__(self, timeouts: Timeouts) -> None:
        self._loop = asyncio.get_running_loop()
        self._timeouts = timeouts
        self._started = self._loop.time()
        self._waiting_since: float | None = None
        self._has_spoken = False
        self._timer: asyncio.TimerHandle | None = None
        self._response: Closable | None = None
        self.verdict: EndpointTimeout | None = None

    @property
    def first_deadline(self) -> float:
        """The loop time by which the first word has to be there."""
        return self._started + self._timeouts.first_token

    def watch(self, response: Closable) -> None:
        self._response = response
        self._look()

    def reading(self) -> None:
        self._waiting_since = self._loop.time()

    def read(self) -> None:
        self._waiting_since = None

    def spoke(self) -> None:
        """From the first word on the shorter limit between two reads holds."""
        if not self._has_spoken:
            self._has_spoken = True
            self._look()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self.stop()
        now = self._loop.time()
        deadline, reason = self._next_deadline(now)
        if deadline > now:
            self._timer = self._loop.call_at(deadline, self._look)
        elif self._response is not None:
            self.verdict = EndpointTimeout(Sentence(reason))
            self._response.close()

    def _next_deadline(self, now: float) -> tuple[float, str]:
        end = self._started + self._timeouts.total
        if not self._has_spoken:
            pause, reason = self.first_deadline, NEVER_BEGAN
        else:
            since = now if self._waiting_since is None else self._waiting_since
            pause, reason = since + self._timeouts.idle, STOPPED
        return (pause, reason) if pause < end else (end, TOO_LONG)
