"""A cache by name: look, wait for whoever makes it, or make it; flush; what it holds is bounded."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Generic, TypeVar

import structlog
from django.conf import settings
from django.utils.crypto import salted_hmac

from caching import codec
from caching.flight import Flight
from caching.metrics import entries_evicted, requests
from caching.place import Place, current_place
from caching.shelf import Bounds, Seen

T = TypeVar("T")

NEAR_SECONDS = 2.0
POLL_SECONDS, DEAF_POLL_SECONDS = 0.5, 0.05  # between looks of those who wait: the bell is faster

log = structlog.get_logger(__name__)
caches: dict[str, "Cache[Any]"] = {}  # of this process, by name


@dataclass(frozen=True, slots=True)
class Hit(Generic[T]):
    """`stale` is there when the time of the value is over and it is ours to make it anew."""

    value: T
    stale: Flight[T] | None = None


class Cache(Generic[T]):
    """What is made for a key is kept for `ttl` seconds, and for `stale` more while it is made anew.

    At most `size` entries and `most_bytes`, the least recently used go first. `near` seconds it may
    be held in the process. Another `version` shares nothing with the one before. `pack` gives
    JSON's types and bytes for a value, `unpack` the value; what `unpack` refuses is a miss. An
    error is that of all who wait, unless making is each one's own affair (`shares_errors`): then
    those who waited make it for themselves.
    """

    def __init__(
        self,
        name: str,
        *,
        ttl: float,
        size: int = 1000,
        most_bytes: int = 8 * 1024 * 1024,
        stale: float = 0.0,
        near: float = NEAR_SECONDS,
        version: int = 1,
        shares_errors: bool = True,
        pack: Callable[[T], Any] | None = None,
        unpack: Callable[[Any], T] | None = None,
    ) -> None:
        if name in caches:
            raise ValueError(f"There is a cache called {name} already.")
        caches[name] = self
        self.name = name
        self.bounds = Bounds(ttl, stale, size, most_bytes)
        self.largest = most_bytes // 16
        self.near = min(near, ttl)
        self._version = version
        self._shares_errors = shares_errors
        self._pack = pack
        self._unpack = unpack

    async def fetch(
        self, key: Any, make: Callable[[], Awaitable[T]], scopes: Iterable[str] = ()
    ) -> T:
        """The value for the key; `make` is called by one of all who ask, in all processes.

        Everybody gets an object of their own. `scopes` are names by which it can be flushed.
        """
        found = await self.find(key, scopes)
        if isinstance(found, Flight):
            async with found:
                return await found.keep(await make())
        if found.stale is not None:
            current_place().spawn(self._make_anew(found.stale, make), "cache-refresh")
        return found.value

    async def find(self, key: Any, scopes: Iterable[str] = ()) -> Hit[T] | Flight[T]:
        """A hit, waiting for it while somebody makes it; or the flight of who is to make it.

        Raises what the maker raised, when that was in this process and errors are shared.
        """
        place, field, scopes = current_place(), self.field_of(key), tuple(scopes)
        while True:
            packed = place.near.get(self.name, field)
            if packed is not None:
                return self._near_hit(place, packed)
            flight = place.flights.get(field)
            if flight is None or flight.is_void:
                break
            try:
                packed = await flight.outcome()
            except Exception:
                if self._shares_errors:
                    raise
                return Flight(self, place, field, scopes, is_alone=True)
            if packed is not None:
                return self._near_hit(place, packed)
        flight = Flight(self, place, field, scopes)
        try:
            return await self._look(place, flight, field)
        except BaseException:
            flight.land(None)
            raise

    async def _look(self, place: Place, flight: Flight[T], field: bytes) -> Hit[T] | Flight[T]:
        is_first, is_spoilt = True, False
        while True:
            flight.bell.clear()
            since, hits = time.monotonic(), place.near_hits.pop(self.name, 0)
            seen = await flight.shelf.look(
                place.servers, flight.token, hits, is_first=is_first, is_spoilt=is_spoilt
            )
            if seen is None:  # Redis is away
                requests.labels(self.name, "miss").inc()
                return flight
            if is_first:
                requests.labels(self.name, seen.outcome).inc()
            is_first = is_spoilt = False
            flight.began = seen.began if seen.is_ours else None
            if seen.sealed is None and seen.is_ours:
                return flight
            if seen.sealed is not None:
                try:
                    return self._found(place, flight, field, seen, since)
                except codec.Spoilt:
                    log.warning("cache_entry_spoilt", cache=self.name)
                    is_spoilt = True
                    continue
            await self._wait(place, flight)

    def _found(
        self, place: Place, flight: Flight[T], field: bytes, seen: Seen, since: float
    ) -> Hit[T]:
        packed = codec.open_(field, seen.sealed or b"")
        value = self.opened(packed)
        if seen.outcome == "hit":
            place.near.put(field, packed, flight.scopes, since, min(self.near, seen.fresh_seconds))
        flight.land(packed)
        return Hit(value, flight if seen.is_ours else None)

    async def _wait(self, place: Place, flight: Flight[T]) -> None:
        """Until the bell rings, or it is time to look whether the maker still lives."""
        try:
            async with asyncio.timeout(POLL_SECONDS if place.is_listening else DEAF_POLL_SECONDS):
                await flight.bell.wait()
        except TimeoutError:
            pass

    async def _make_anew(self, flight: Flight[T], make: Callable[[], Awaitable[T]]) -> None:
        """What is there may be used until it succeeds, or is too old."""
        try:
            async with flight:
                await flight.keep(await make())
        except Exception:
            log.warning("cache_not_refreshed", cache=self.name, exc_info=True)

    # -- values and keys -------------------------------------------------------------------

    def pack(self, value: T) -> Any:
        return value if self._pack is None else self._pack(value)

    def opened(self, packed: bytes) -> T:
        """Raises `Spoilt` when a value of another form lies there."""
        value = codec.unpack(packed)
        if self._unpack is None:
            return value  # type: ignore[no-any-return]
        try:
            return self._unpack(value)
        except (TypeError, ValueError, LookupError) as error:
            raise codec.Spoilt from error

    def field_of(self, key: Any) -> bytes:
        """A keyed hash: Redis does not tell what was asked."""
        content = codec.pack([self.name, self._version, key])
        return blake2b(content, digest_size=16, key=_secret(settings.SECRET_KEY)).digest()

    def count_evicted(self, number: int) -> None:
        if number:
            entries_evicted.labels(self.name).inc(number)

    def _near_hit(self, place: Place, packed: bytes) -> Hit[T]:
        place.near_hits[self.name] += 1
        requests.labels(self.name, "near").inc()
        return Hit(self.opened(packed))


@lru_cache(maxsize=4)
def _secret(secret: str) -> bytes:
    return salted_hmac("caching.field", "", secret=secret, algorithm="sha256").digest()
