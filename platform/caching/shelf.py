"""Where the entries of a cache lie in Redis, and what is asked there in one round trip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from time import time
from typing import Any, Literal

from caching.scripts import FLUSH, LOOK, RECALL, RENEW, STORE
from caching.servers import Servers, shelves

LEASE_SECONDS = 6.0  # of a making; renewed three times as often
LONGEST_MAKING_SECONDS = 3600
DAY = 86_400

Outcome = Literal["hit", "stale", "miss", "shared"]


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of a whole cache; a shelf holds its share."""

    ttl: float
    stale: float
    entries: int
    most_bytes: int

    @property
    def kept_ms(self) -> int:
        return round((self.ttl + self.stale) * 1000)


@dataclass(frozen=True, slots=True)
class Seen:
    """`began` is Redis' time, from which a making counts that starts now."""

    outcome: Outcome
    is_ours: bool
    began: bytes
    fresh_seconds: float
    sealed: bytes | None


class Shelf:
    """The shelf of a cache that a field lies on, with the marks of the scopes it belongs to."""

    def __init__(self, cache: str, bounds: Bounds, field: bytes, scopes: Sequence[str]) -> None:
        self.field = field
        self._bounds = bounds
        self._prefix = prefix(cache, field[0] % shelves())
        self._keys = [*own_keys(self._prefix), counts_key(self._prefix)]
        self._lock = self._prefix + b"lock:" + field.hex().encode()
        self._marks = [mark_key(self._prefix, scope) for scope in ("", *scopes)]

    async def look(
        self, servers: Servers, token: str, near_hits: int, *, is_first: bool, is_spoilt: bool
    ) -> Seen | None:
        """What is there; `is_ours` says that it is now for the token's holder to make."""
        stale, lease = round(self._bounds.stale * 1e6), round(LEASE_SECONDS * 1000)
        args = [self.field, token, stale, lease, near_hits, int(is_first), int(is_spoilt)]
        answer = await servers.run(LOOK, [*self._keys, self._lock, *self._marks], args)
        if answer is None:
            return None
        outcome, is_ours, began, fresh_ms, sealed = answer
        return Seen(outcome.decode(), bool(is_ours), began, fresh_ms / 1000, sealed)

    async def store(
        self,
        servers: Servers,
        token: str,
        began: bytes,
        seconds: float,
        sealed: Mapping[bytes, bytes],
    ) -> int:
        """Keep what was made since `began`, nothing perhaps, and give the lock back."""
        share, bounds = shelves(), self._bounds
        entries, most_bytes = -(-bounds.entries // share), bounds.most_bytes // share
        args: list[Any] = [token, began, round(seconds * 1e6), bounds.kept_ms, most_bytes, entries]
        for field, value in sealed.items():
            args += (field, value)
        return await servers.run(STORE, [*self._keys, self._lock, *self._marks], args) or 0

    async def renew(self, servers: Servers, token: str) -> None:
        await servers.run(RENEW, [self._lock], [token, round(LEASE_SECONDS * 1000)])

    async def recall(self, servers: Servers, fields: Sequence[bytes]) -> list[Any] | None:
        """Redis' time, and for each of many fields of this shelf what is there, fresh, or None."""
        answer: list[Any] | None = await servers.run(RECALL, [*self._keys, *self._marks], fields)
        return answer


def prefix(cache: str, number: int) -> bytes:
    return b"parley:cache:{%s:%d}:" % (cache.encode(), number)


def own_keys(prefix: bytes) -> list[bytes]:
    return [prefix + name for name in (b"values", b"used", b"size")]


def counts_key(prefix: bytes, days_ago: int = 0) -> bytes:
    return prefix + b"counts:%d" % (time() // DAY - days_ago)


def mark_key(prefix: bytes, scope: str) -> bytes:
    """Of flushes of a scope; "" is everything."""
    return prefix + b"flushed:" + blake2b(scope.encode(), digest_size=16).hexdigest().encode()


def flush_shelf(client: Any, cache: str, number: int, scope: str, bounds: Bounds) -> None:
    """The mark outlives whatever began before it."""
    place = prefix(cache, number)
    keys = [*own_keys(place), mark_key(place, scope)]
    kept_ms = bounds.kept_ms + LONGEST_MAKING_SECONDS * 1000
    client.eval(FLUSH.text, len(keys), *keys, kept_ms, int(not scope))
