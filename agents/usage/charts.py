"""The charts of usage, from what was read by day; drawn by static/js/charts.js."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from agents.usage.selectors import Daily
from agents.usage.spans import Span
from agents.usage.sums import Spent

MOST_MODELS = 4  # with a colour of their own; the others are one

Value = Callable[[Spent], float]
Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Series:
    """One value for each day of its chart, in the chart's unit; None where there is none."""

    label: str
    values: Values


@dataclass(frozen=True, slots=True)
class Chart:
    """`kind` is `bars` (stacked) or `lines`; `unit` is `count`, `ms`, `bytes`, or `money` of a
    currency."""

    name: str
    title: str
    unit: str
    days: list[str]
    series: list[Series]
    currency: str = ""
    kind: str = "bars"

    @property
    def is_empty(self) -> bool:
        return not any(value for series in self.series for value in series.values)

    @property
    def data(self) -> dict[str, Any]:
        """For the script that draws it."""
        return asdict(self)

    @property
    def rows(self) -> Iterable[tuple[date, list[float | None]]]:
        """For those who read the figures instead, newest day first."""
        days = [date.fromisoformat(day) for day in self.days]
        rows = [[series.values[n] for series in self.series] for n in range(len(days))]
        return [*zip(days, rows, strict=True)][::-1]


def charts(daily: Daily, span: Span) -> list[Chart]:
    """A chart of cost for each currency that was paid in; tokens; calls."""
    days = [day.isoformat() for day in span.days]
    sums = [Spent.sum(daily.of(day).values()) for day in span.days]
    total = Spent.sum(sums)
    costs = [
        Chart(
            f"cost-{currency}", _("Cost in %(currency)s") % {"currency": currency}, "money", days,
            _by_model(daily, span, currency), currency,
        )
        for currency, cost in total.money
        if cost
    ]  # fmt: skip
    return [
        *costs,
        Chart("tokens", _("Tokens"), "count", days, [
            _series(_("Read"), sums, lambda one: one.prompt_tokens - one.cached_tokens),
            _series(_("Read from a cache"), sums, lambda one: one.cached_tokens),
            _series(_("Written"), sums, lambda one: one.completion_tokens),
        ]),
        Chart("calls", _("Calls to models"), "count", days, [
            _series(_("Completed"), sums, lambda one: one.calls - one.failed),
            _series(_("Failed"), sums, lambda one: one.failed),
        ]),
    ]  # fmt: skip


def _by_model(daily: Daily, span: Span, currency: str) -> list[Series]:
    """The largest of them, and the others together."""
    days = span.days
    names = {model for day in days for model in daily.of(day)}
    found = {
        name: [_amount(daily.of(day).get(name), currency) for day in days] for name in sorted(names)
    }
    largest = sorted(
        (name for name in found if any(found[name])), key=lambda name: -sum(found[name])
    )
    shown = [Series(name, found[name]) for name in largest[:MOST_MODELS]]
    if others := [found[name] for name in largest[MOST_MODELS:]]:
        shown.append(Series(_("Other models"), [sum(day) for day in zip(*others, strict=True)]))
    return shown


def _series(label: str, sums: list[Spent], value: Value) -> Series:
    return Series(label, [value(spent) for spent in sums])


def _amount(spent: Spent | None, currency: str) -> float:
    return float(spent.costs.get(currency, Decimal())) if spent else 0.0
