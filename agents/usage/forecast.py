"""What a month will have come to at its end, from the days before. Pure.

Each day to come counts as the days of the same weekday in the last four weeks did, drawn towards
the mean of all as long as there are few of them (a weekday without any counts as the mean). The
range is that of eight in ten months whose days scatter around that as these did.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt

BEHIND = 28
FEWEST = 3  # days that have to be over before anything is said
EIGHT_IN_TEN = 1.2816  # standard deviations


@dataclass(frozen=True, slots=True)
class Forecast:
    """The whole month: what is used up already, what is expected at its end, and how sure."""

    so_far: float
    expected: float
    low: float
    high: float


def forecast(values: Mapping[date, float], today: date, share_of_today: float) -> Forecast | None:
    """`values` by day, a missing one is nothing; None where too little is known.

    Days before the first with anything do not count: whoever begins now did not rest before.
    """
    begun = min((day for day, value in values.items() if value), default=today)
    known = min(BEHIND, (today - begun).days)
    if known < FEWEST:
        return None
    past = {day: values.get(day, 0.0) for day in (today - timedelta(n + 1) for n in range(known))}
    usual = _by_weekday(past)
    last = today.replace(day=monthrange(today.year, today.month)[1])
    ahead = [today + timedelta(n + 1) for n in range((last - today).days)]
    so_far = sum(value for day, value in values.items() if today.replace(day=1) <= day <= today)
    left_of_today = 1 - share_of_today
    rest = usual[today.weekday()] * left_of_today + sum(usual[day.weekday()] for day in ahead)
    spread = EIGHT_IN_TEN * _scatter(past, usual) * sqrt(len(ahead) + left_of_today)
    expected = so_far + rest
    return Forecast(so_far, expected, max(so_far, expected - spread), expected + spread)


def _by_weekday(past: Mapping[date, float]) -> list[float]:
    mean = sum(past.values()) / len(past)
    days = [[value for day, value in past.items() if day.weekday() == n] for n in range(7)]
    return [(sum(values) + mean) / (len(values) + 1) for values in days]


def _scatter(past: Mapping[date, float], usual: list[float]) -> float:
    off = [(value - usual[day.weekday()]) ** 2 for day, value in past.items()]
    return sqrt(sum(off) / len(off))
