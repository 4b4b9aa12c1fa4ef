"""The making of one entry: one at a time in this process, and one over all processes."""

import asyncio
import random
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from caching import flushes
from caching.codec import pack, seal
from caching.place import Place
from caching.shelf import LEASE_SECONDS, Shelf

if TYPE_CHECKING:
    from caching.cache import Cache

T = TypeVar("T")

JITTER = 0.1  # of the time to live, so that what was made together does not end together


class Flight(Generic[T]):
    """A miss that is ours to make: `async with` it, and `keep` what was made.

    Others who want it wait, in this process for what comes of it, also for an exception; in others
    for the bell, or for the lease to run out. Left without `keep`, the next of them makes it.
    Nobody waits for one that is alone, and Redis does not get what it made.
    """

    def __init__(
        self,
        cache: "Cache[T]",
        place: Place,
        field: bytes,
        scopes: Sequence[str],
        *,
        is_alone: bool = False,
    ) -> None:
        self.bell = asyncio.Event()  # rung when another process has made it
        self.token = place.token()
        self.shelf = Shelf(cache.name, cache.bounds, field, scopes)
        self.scopes = scopes
        self.since = time.monotonic()
        self.began: bytes | None = None  # by Redis' clock; None: Redis is away
        self._cache = cache
        self._place = place
        self._field = field
        self._made: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._renewing: asyncio.Task[None] | None = None
        if not is_alone:
            place.flights[field] = self

    @property
    def is_void(self) -> bool:
        """Whoever asks after a flush does not want what began before it."""
        return flushes.is_void(self._cache.name, self.scopes, self.since)

    async def outcome(self) -> bytes | None:
        """For those who wait: what was made, packed, or None when it was not; raises its error."""
        return await asyncio.shield(self._made)

    async def keep(self, value: T) -> T:
        """Store it and return it as others will get it; raises TypeError where that cannot be."""
        packed = pack(self._cache.pack(value))
        self.land(packed)
        self._place.near.put(
            self._field, packed, self.scopes, self.since, min(self._cache.near, self._seconds())
        )
        sealed = {self._field: seal(self._field, packed)}
        if self.began is not None and len(packed) <= self._cache.largest:
            await self._give_back(sealed)
        return self._cache.opened(packed)

    def land(self, packed: bytes | None, error: BaseException | None = None) -> None:
        """Tell those in this process who wait; whoever comes from now on looks anew."""
        if self._place.flights.get(self._field) is self:
            del self._place.flights[self._field]
        if self._made.done():
            return
        if isinstance(error, Exception):
            self._made.set_exception(error)
            self._made.exception()  # nobody may have waited
        else:
            self._made.set_result(packed)

    async def __aenter__(self) -> Self:
        if self.began is not None:
            self._renewing = self._place.spawn(self._renew(), "cache-lease")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.land(None, error)
        if self._renewing is not None:
            self._renewing.cancel()
        await self._give_back({})

    async def _give_back(self, sealed: dict[bytes, bytes]) -> None:
        """Once: what was made, if anything, and the lock."""
        began, self.began = self.began, None
        if began is not None:
            evicted = await self.shelf.store(
                self._place.servers, self.token, began, self._seconds(), sealed
            )
            self._cache.count_evicted(evicted)

    async def _renew(self) -> None:
        while self.began is not None:
            await asyncio.sleep(LEASE_SECONDS / 3)
            await self.shelf.renew(self._place.servers, self.token)

    def _seconds(self) -> float:
        return jittered(self._cache.bounds.ttl)


def jittered(seconds: float) -> float:
    return seconds * random.uniform(1 - JITTER, 1)  # noqa: S311 - chance, no secret
