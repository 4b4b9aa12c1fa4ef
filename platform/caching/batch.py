"""Many entries in one round trip, for what is made in batches anyway: nobody waits for anybody."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Generic, Self, TypeVar

from caching.cache import Cache
from caching.codec import Spoilt, open_, pack, seal
from caching.flight import jittered
from caching.metrics import requests
from caching.place import Place, current_place
from caching.servers import shelves
from caching.shelf import Shelf

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Batch(Generic[K, T]):
    """What was found of the keys; `keep` what was made of the others, since then and for them."""

    def __init__(self, cache: Cache[T], scopes: Sequence[str]) -> None:
        self.found: dict[K, T] = {}
        self._cache = cache
        self._scopes = scopes
        self._began: dict[int, bytes] = {}  # by shelf

    @classmethod
    async def recall(cls, cache: Cache[T], keys: Iterable[K], scopes: Iterable[str] = ()) -> Self:
        """Nothing is found while Redis is away."""
        batch, place = cls(cache, tuple(scopes)), current_place()
        for number, fields in batch._by_shelf(keys).items():
            await batch._read(place, number, fields)
        return batch

    async def keep(self, values: Mapping[K, T]) -> None:
        place = current_place()
        for number, fields in self._by_shelf(values).items():
            if began := self._began.get(number):
                packed = {field: pack(self._cache.pack(values[k])) for field, k in fields.items()}
                sealed = {
                    field: seal(field, value)
                    for field, value in packed.items()
                    if len(value) <= self._cache.largest
                }
                seconds = jittered(self._cache.bounds.ttl)
                shelf = self._shelf(next(iter(fields)))
                evicted = await shelf.store(place.servers, "", began, seconds, sealed)
                self._cache.count_evicted(evicted)

    async def _read(self, place: Place, number: int, fields: dict[bytes, K]) -> None:
        answer = await self._shelf(next(iter(fields))).recall(place.servers, list(fields))
        if answer is None:
            return
        self._began[number], *sealed = answer
        for (field, key), value in zip(fields.items(), sealed, strict=True):
            if value is not None:
                try:
                    self.found[key] = self._cache.opened(open_(field, value))
                except Spoilt:
                    continue  # and written anew by `keep`
        hits = sum(key in self.found for key in fields.values())
        requests.labels(self._cache.name, "hit").inc(hits)
        requests.labels(self._cache.name, "miss").inc(len(fields) - hits)

    def _by_shelf(self, keys: Iterable[K]) -> dict[int, dict[bytes, K]]:
        found: dict[int, dict[bytes, K]] = {}
        for key in keys:
            field = self._cache.field_of(key)
            found.setdefault(field[0] % shelves(), {})[field] = key
        return found

    def _shelf(self, field: bytes) -> Shelf:
        return Shelf(self._cache.name, self._cache.bounds, field, self._scopes)
