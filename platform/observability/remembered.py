"""What every call asks of the database, and may be a moment old: read once in two seconds.

Who asks for something that is older than half of that gets it at once, and it is read anew beside
them: where calls come one after the other, none of them waits. After a pause somebody has to:
who knows that a call is coming says so (`look_ahead`).
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from threading import Lock
from typing import Any, Generic, NamedTuple, TypeVar
from weakref import WeakKeyDictionary, WeakSet

from django.db import Error

from observability.patience import is_away, run_patiently

SECONDS = 2.0
MOST = 1000  # keys: names that nobody has are asked for, too

V = TypeVar("V")
Key = tuple[Any, ...]
Place = tuple[asyncio.AbstractEventLoop, Key]

log = logging.getLogger(__name__)


class Known(NamedTuple):
    """From `renewed_at` on it is read anew; after `ends_at` it is too old. By the monotonic
    clock."""

    value: Any
    renewed_at: float
    ends_at: float


class Remembered(Generic[V]):
    """The answers of `read`, which asks the database, by what it is called with."""

    def __init__(self, read: Callable[..., V], seconds: float = SECONDS) -> None:
        self._read = read
        self._seconds = seconds
        self._lock = Lock()
        self._known: dict[Key, Known] = {}
        self._changes = 0  # what was read before one is kept by nobody
        self._reading: dict[Place, asyncio.Future[V]] = {}
        self._last: Key | None = None  # that a coroutine has asked for
        _all.add(self)

    async def get(self, *key: Any) -> V:
        """Never older than that when it is asked for, or read since. Waits for Postgres as long as
        it is away; raises what else `read` raises."""
        self._last = key
        known, now = self._known.get(key), time.monotonic()
        if known is not None and now < known.renewed_at:
            return self._value(known)
        reading = self._renew(key)
        if known is not None and now < known.ends_at:
            return self._value(known)
        return await asyncio.shield(reading)

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
            self._reading.clear()

    def drop(self, key: Key) -> None:
        """It could not be read anew: the next one asks again."""
        with self._lock:
            self._known.pop(key, None)

    def look_ahead(self) -> None:
        """Begin to read what was asked for last, where whoever asks again would have to wait."""
        if self._last is None:
            return
        known = self._known.get(self._last)
        if known is None or time.monotonic() >= known.ends_at:
            self._renew(self._last)

    def _renew(self, key: Key) -> "asyncio.Future[V]":
        """Once, however many ask meanwhile; a change since makes it another one."""
        loop = asyncio.get_running_loop()
        with self._lock:
            reading = self._reading.get((loop, key))
            if reading is None:
                reading = self._reading[loop, key] = loop.create_future()
                reading.add_done_callback(partial(self.renewed, (loop, key)))
                _trips_of(loop).take(_Due(self, key, reading))
        return reading

    def _keep(self, key: Key, value: V, began: float, changes: int) -> None:
        with self._lock:
            if changes != self._changes:
                return
            if len(self._known) >= MOST:
                self._known.clear()
            known = Known(value, began + self._seconds / 2, began + self._seconds)
            self._known[key] = known

    def renewed(self, place: Place, done: "asyncio.Future[V]") -> None:
        """It is not being read any more; again: nothing happens."""
        with self._lock:
            if self._reading.get(place) is done:
                del self._reading[place]
        if not done.cancelled() and (error := done.exception()) is not None:
            log.warning("what is remembered could not be read anew: %s", error)

    @staticmethod
    def _value(known: Known) -> V:
        value: V = known.value
        return value


def look_ahead() -> None:
    """For a loop that knows that a call is coming, and has something to do before it asks."""
    for remembered in _all:
        remembered.look_ahead()


class _Due(NamedTuple):
    remembered: Remembered[Any]
    key: Key
    reading: asyncio.Future[Any]

    def read(self) -> None:
        """In a thread. Raises only that Postgres is away."""
        value, problem = None, None
        try:
            value = self.remembered.read_now(*self.key)
        except Exception as error:
            if isinstance(error, Error) and is_away(error):
                raise
            self.remembered.drop(self.key)
            problem = error
        with suppress(RuntimeError):  # its loop has ended
            self.reading.get_loop().call_soon_threadsafe(self.settle, value, problem)

    def settle(self, value: Any, error: Exception | None) -> None:
        if self.reading.done():
            return
        if error is None:
            self.reading.set_result(value)
        else:
            self.reading.set_exception(error)

    def let_go(self) -> None:
        """Nobody reads it any more."""
        if not self.reading.done():
            self.reading.cancel()
            self.remembered.renewed((self.reading.get_loop(), self.key), self.reading)


class _Trips:
    """Of a loop: what is due in one turn of it is read in one trip to a thread."""

    def __init__(self) -> None:
        self._next: list[_Due] = []
        self._under_way: set[asyncio.Task[None]] = set()

    def take(self, due: _Due) -> None:
        self._next.append(due)
        if len(self._next) == 1:
            trip = asyncio.create_task(self._go(self._next), name="remembered")
            self._under_way.add(trip)
            trip.add_done_callback(partial(self._ended, self._next))

    async def _go(self, due: list[_Due]) -> None:
        self._next = []
        try:
            await run_patiently(_read_all, due)
        except Exception as error:  # noqa: BLE001 - it is theirs who wait
            for one in due:
                one.settle(None, error)

    def _ended(self, due: list[_Due], trip: asyncio.Task[None]) -> None:
        """Also because the loop ends, perhaps before it began."""
        if self._next is due:
            self._next = []
        self._under_way.discard(trip)
        for one in due:
            one.let_go()


def _read_all(due: Sequence[_Due]) -> None:
    """Each is told as soon as it is read. Raises only that Postgres is away."""
    for one in due:
        if not one.reading.done():  # else before Postgres was away
            one.read()


_all: WeakSet[Remembered[Any]] = WeakSet()
_trips: WeakKeyDictionary[asyncio.AbstractEventLoop, _Trips] = WeakKeyDictionary()


def _trips_of(loop: asyncio.AbstractEventLoop) -> _Trips:
    return _trips.setdefault(loop, _Trips())
