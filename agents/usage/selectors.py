"""What was used, by day, by model and by everything else that calls are counted by."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date
from typing import Any

from django.db.models import F, Func, Sum
from django.db.models.functions import TruncDate

from agents.usage.audience import Whose
from agents.usage.names import nameless, names_of
from agents.usage.spans import Span
from agents.usage.sums import COUNTED, Spent
from gateway.metering.models import UsageDay, UsageHour

COLUMNS: Mapping[str, str] = {
    "model": "model_name",
    "agent": "agent_id",
    "person": "account_id",
    "team": "team",
    "purpose": "purpose",
    "token": "token_id",
    "endpoint": "endpoint_name",
}
DIMENSIONS: Mapping[str, Sequence[str]] = {
    "me": ("model", "agent", "purpose", "token"),
    "team": ("person", "model", "agent", "purpose"),
    "all": ("person", "model", "agent", "team", "purpose", "endpoint"),
}
EACH_TEAM = "unnest(coalesce(nullif(%(expressions)s, '{}'), array[null]::uuid[]))"
# What an answer is made of: itself, tries that failed, its title, what was asked to understand its
# question and to order what was found, what is remembered, what guardrails asked.
OF_ANSWERS = frozenset(
    {"chat", "title", "memory", "complexity", "rewriting", "rerank", "guardrail"}
)


@dataclass(frozen=True, slots=True)
class Part:
    """What of it was one model's, agent's, person's …; `key` None: nobody's."""

    key: Any
    name: str
    spent: Spent


@dataclass(slots=True)
class Daily:
    """Every day of a span by model; days without calls are missing."""

    span: Span
    by_day: dict[date, dict[str, Spent]] = field(default_factory=lambda: defaultdict(dict))

    def total(self, span: Span) -> Spent:
        return Spent.sum(spent for day in span.days for spent in self.of(day).values())

    def of(self, day: date) -> dict[str, Spent]:
        return self.by_day.get(day, {})


def read_daily(whose: Whose, span: Span) -> Daily:
    """One query."""
    found = Daily(span)
    for row in _sums(_rows(whose, span), "day", "model_name"):
        models = found.by_day[row["day"]]
        models.setdefault(row["model_name"], Spent()).add(row)
    return found


def read_parts(whose: Whose, span: Span, dimension: str) -> list[Part]:
    """The dearest first, then the largest; what has the same name or none is one part.

    By team a call of somebody who is in two counts for each of them.
    """
    found: dict[Any, Spent] = defaultdict(Spent)
    for row in _sums(_keyed(_rows(whose, span), dimension), "key"):
        found[row["key"]].add(row)
    names = names_of(whose, dimension, found.keys())
    named: dict[Any, Part] = {}
    for key, spent in found.items():
        name = names.get(key)
        part = named.setdefault(
            key if name else bool(key),
            Part(key if name else None, name or nameless(dimension, key), Spent()),
        )
        part.spent.join(spent)
    return sorted(named.values(), key=_weight)


def per_answer(parts: Iterable[Part]) -> Spent | None:
    """What one answer cost on average, of parts by purpose; None where there were none.

    Tries that failed, titles, memory, understanding and ranking are in it; documents that are
    indexed are not.
    `uncosted` says how many of the calls have no known cost: they count nothing.
    """
    of_answers = Spent.sum(part.spent for part in parts if part.key in OF_ANSWERS)
    answers = sum(part.spent.calls - part.spent.failed for part in parts if part.key == "chat")
    if not answers:
        return None
    costs = {currency: cost / answers for currency, cost in of_answers.costs.items()}
    return Spent(calls=answers, uncosted=of_answers.uncosted, costs=costs)


def read_cells(whose: Whose, span: Span) -> Iterable[dict[str, Any]]:
    """Every sum there is of these days, one after the other: for a table that leaves."""
    rows = UsageDay.objects.filter(at__gte=span.first, at__lte=span.last).annotate(day=F("at"))
    keys = ("day", "account_id", "team_ids", "agent_id", "token_id", "model_name", "endpoint_name",
        "purpose")  # fmt: skip
    sums = _sums(whose.rows(rows), *keys).order_by(*keys)
    cells: Iterable[dict[str, Any]] = sums.iterator(chunk_size=1000)
    return cells


def _rows(whose: Whose, span: Span) -> Any:
    """With their `day`. Everybody's are read by the day of UTC: there are too many hours."""
    if whose.kind == "all":
        days = UsageDay.objects.filter(at__gte=span.first, at__lte=span.last)
        return whose.rows(days).annotate(day=F("at"))
    hours = UsageHour.objects.filter(at__gte=span.since, at__lt=span.until)
    return whose.rows(hours).annotate(day=TruncDate("at", tzinfo=span.zone))


def zone_of(whose: Whose, zone: Any = None) -> Any:
    """The time zone whose days are shown."""
    return UTC if whose.kind == "all" else zone


def _keyed(rows: Any, dimension: str) -> Any:
    if dimension != "team":
        return rows.annotate(key=F(COLUMNS[dimension]))
    return rows.annotate(key=Func(F("team_ids"), template=EACH_TEAM))


def _sums(rows: Any, *keys: str) -> Any:
    sums = {name: Sum(name) for name in COUNTED}
    return rows.order_by().values(*keys, "currency").annotate(**sums, cost=Sum("cost"))


def _weight(part: Part) -> tuple[Any, ...]:
    dearest = max(part.spent.costs.values(), default=0)
    return (-dearest, -part.spent.tokens, -part.spent.calls, part.name)
