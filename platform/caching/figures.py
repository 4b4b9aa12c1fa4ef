"""How often each cache spared the work, and what it holds: over all processes, by days."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from caching.cache import caches
from caching.servers import AWAY, shelves, sync_client
from caching.shelf import counts_key, own_keys, prefix

FIELDS = ("near", "hit", "stale", "shared", "miss", "evicted", "entries", "bytes")
MOST_DAYS = 35  # that counts are kept for

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Figures:
    """`near`, `hit`, `stale` and `shared` were spared; what is near is told with the next look."""

    name: str
    near: int
    hit: int
    stale: int
    shared: int
    miss: int
    evicted: int
    entries: int
    bytes: int

    @property
    def spared(self) -> int:
        return self.near + self.hit + self.stale + self.shared

    @property
    def hit_rate(self) -> float | None:
        """None when nobody asked."""
        asked = self.spared + self.miss
        return self.spared / asked if asked else None


def read_figures(days: int = 1) -> list[Figures]:
    """Of every cache by name, today and the days before; nothing while Redis is away."""
    names, days = sorted(caches), min(days, MOST_DAYS)
    try:
        pipeline = sync_client().pipeline(transaction=False)
        for name in names:
            for place in _places(name):
                _queue(pipeline, place, days)
        answers = iter(pipeline.execute())
    except AWAY as error:
        log.warning("cache_figures_unknown", reason=str(error) or type(error).__name__)
        return []
    return [_figures(name, answers, days) for name in names]


def _places(name: str) -> list[bytes]:
    return [prefix(name, number) for number in range(shelves())]


def _queue(pipeline: Any, place: bytes, days: int) -> None:
    values, _used, size = own_keys(place)
    pipeline.hlen(values)
    pipeline.get(size)
    for day in range(days):
        pipeline.hgetall(counts_key(place, day))


def _figures(name: str, answers: Iterator[Any], days: int) -> Figures:
    counts: Counter[str] = Counter()
    for _place in _places(name):
        counts["entries"] += int(next(answers))
        counts["bytes"] += int(next(answers) or 0)
        for _day in range(days):
            counts.update({key.decode(): int(n) for key, n in next(answers).items()})
    return Figures(name, **{field: counts[field] for field in FIELDS})


class Sizes(Collector):
    """What each cache holds; nothing while Redis is away."""

    def collect(self) -> Iterable[Metric]:
        held = GaugeMetricFamily("parley_cache_bytes", "Bytes in Redis.", labels=["cache"])
        entries = GaugeMetricFamily("parley_cache_entries", "Entries in Redis.", labels=["cache"])
        for figures in read_figures():
            held.add_metric([figures.name], figures.bytes)
            entries.add_metric([figures.name], figures.entries)
        return [held, entries]
