"""What every call asks of the database, and may be a moment old: read once in two seconds.

Who asks for something that is older than half of that gets it at once, and it is read anew beside
them: where calls come one after the other, none of them waits.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from threading import Lock
from typing import Any, Generic, NamedTuple, TypeVar

from observability.patience import run_patiently

SECONDS = 2.0
MOST = 1000  # keys: names that nobody has are asked for, too

V = TypeVar("V")

log = logging.getLogger(__name__)


class Known(NamedTuple):
    """From `renewed_at` on it is read anew, by one; after `ends_at` that one waits for it. By the
    monotonic clock."""

    value: Any
    renewed_at: float
    ends_at: float


class Remembered(Generic[V]):
    """The answers of `read`, which asks the database, by what it is called with."""

    def __init__(self, read: Callable[..., V], seconds: float = SECONDS) -> None:
        self._read = read
        self._seconds = seconds
        self._lock = Lock()
        self._known: dict[tuple[Any, ...], Known] = {}
        self._changes = 0  # what was read before one is kept by nobody
        self._reading: set[asyncio.Task[V]] = set()

    async def get(self, *key: Any) -> V:
        """Waits for Postgres as long as it is away; raises what else `read` raises.

        Of those who find it too old one reads it anew; the others use it meanwhile.
        """
        now = time.monotonic()
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                if now < known.renewed_at:
                    return self._value(known)
                self._known[key] = known._replace(renewed_at=now + self._seconds)
        if known is None or now >= known.ends_at:
            return await self._renew(key)
        task = asyncio.create_task(self._renew(key), name="remembered")
        self._reading.add(task)
        task.add_done_callback(self._renewed)
        return self._value(known)

    def get_now(self, *key: Any) -> V:
        """The same for threads: whoever finds it too old reads it."""
        known = self._known.get(key)
        if known is not None and time.monotonic() < known.ends_at:
            return self._value(known)
        return self.read_now(*key)

    def read_now(self, *key: Any) -> V:
        """As it is now; for threads."""
        began, changes = time.monotonic(), self._changes
        value = self._read(*key)
        self._keep(key, value, began, changes)
        return value

    def recent(self, *key: Any) -> V | None:
        """Without asking; None where nothing is known, or it is too old to go by."""
        known = self._known.get(key)
        return None if known is None or time.monotonic() >= known.ends_at else self._value(known)

    def forget(self) -> None:
        """It was changed in this process; others hear of it within two seconds."""
        with self._lock:
            self._changes += 1
            self._known.clear()

    async def _renew(self, key: tuple[Any, ...]) -> V:
        began, changes = time.monotonic(), self._changes
        try:
            value = await run_patiently(self._read, *key)
        except BaseException:
            with self._lock:
                self._known.pop(key, None)
            raise
        self._keep(key, value, began, changes)
        return value

    def _keep(self, key: tuple[Any, ...], value: V, began: float, changes: int) -> None:
        with self._lock:
            if changes != self._changes:
                return
            if len(self._known) >= MOST:
                self._known.clear()
            known = Known(value, began + self._seconds / 2, began + self._seconds)
            self._known[key] = known

    def _renewed(self, task: "asyncio.Task[V]") -> None:
        self._reading.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("what is remembered could not be read anew: %s", error)

    @staticmethod
    def _value(known: Known) -> V:
        value: V = known.value
        return value
