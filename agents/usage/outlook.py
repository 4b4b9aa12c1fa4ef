"""The month so far and what it will have come to: money of each currency, or tokens."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from agents.usage.forecast import BEHIND, Forecast, forecast
from agents.usage.selectors import Daily
from agents.usage.spans import Span, share_of_day
from agents.usage.sums import Spent

TOKENS = "tokens"


@dataclass(frozen=True, slots=True)
class Outlook:
    """`unit` is a currency, or `tokens`."""

    unit: str
    forecast: Forecast


def with_the_month(span: Span) -> Span:
    """Far enough back for the outlook too, so that one query is enough for both."""
    back = span.last - timedelta(BEHIND + 1)
    return Span(min(span.first, span.last.replace(day=1), back), span.last, span.zone)


def outlooks(daily: Daily, now: datetime | None = None) -> list[Outlook]:
    """`daily` is of a span `with_the_month`. Tokens where nothing has a price."""
    today, share = daily.span.last, share_of_day(daily.span.zone, now)
    sums = {day: Spent.sum(models.values()) for day, models in daily.by_day.items()}
    currencies = sorted(
        {name for spent in sums.values() for name, cost in spent.costs.items() if cost}
    )
    units = currencies or [TOKENS]
    found = [
        (unit, forecast({day: _value(spent, unit) for day, spent in sums.items()}, today, share))
        for unit in units
    ]
    return [Outlook(unit, known) for unit, known in found if known is not None]


def _value(spent: Spent, unit: str) -> float:
    return spent.tokens if unit == TOKENS else float(spent.costs.get(unit, 0))
