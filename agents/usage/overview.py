"""All that a page of usage, and the JSON API, say about somebody's days."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from agents.usage.audience import Whose
from agents.usage.outlook import Outlook, outlooks, with_the_month
from agents.usage.selectors import (
    DIMENSIONS,
    Daily,
    Part,
    per_answer,
    read_daily,
    read_parts,
    zone_of,
)
from agents.usage.spans import Span, last_days
from agents.usage.sums import Spent


@dataclass(frozen=True, slots=True)
class Overview:
    """`parts` are by dimension, `daily` also of days before the span."""

    whose: Whose
    span: Span
    daily: Daily
    total: Spent
    per_answer: Spent | None
    outlooks: list[Outlook]
    parts: dict[str, list[Part]]

    @property
    def is_empty(self) -> bool:
        return not self.total.calls


def read_overview(whose: Whose, days: int, now: datetime | None = None) -> Overview:
    """In a constant number of queries, all of roll-ups."""
    span = last_days(days, zone_of(whose, timezone.get_current_timezone()), now)
    daily = read_daily(whose, with_the_month(span))
    parts = {name: read_parts(whose, span, name) for name in DIMENSIONS[whose.kind]}
    return Overview(
        whose, span, daily, daily.total(span), per_answer(parts["purpose"]),
        outlooks(daily, now), parts,
    )  # fmt: skip
