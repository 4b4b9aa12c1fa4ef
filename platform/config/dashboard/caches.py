"""What caches spared of late: one line each on the first page, the rest on a page of their own."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from agents.reuse.savings import savings_since
from caching.figures import read_figures
from config.dashboard.figures import PERIOD


@dataclass(frozen=True, slots=True)
class CacheFigures:
    """All caches together, of the last seven days; `hit_rate` None when nobody asked, or while
    Redis is away. Each currency by itself."""

    hit_rate: float | None
    size: int
    evicted: int
    reused: int
    saved: list[tuple[str, Decimal]]


def cache_figures(now: datetime) -> CacheFigures:
    held = read_figures(PERIOD.days)
    spared, missed = sum(one.spared for one in held), sum(one.miss for one in held)
    savings = savings_since((now - PERIOD).date())
    saved: dict[str, Decimal] = defaultdict(Decimal)
    for row in savings:
        saved[row["currency"]] += row["cost"]
    return CacheFigures(
        hit_rate=spared / (spared + missed) if spared + missed else None,
        size=sum(one.bytes for one in held),
        evicted=sum(one.evicted for one in held),
        reused=sum(row["answers"] for row in savings),
        saved=sorted(pair for pair in saved.items() if pair[1]),
    )
