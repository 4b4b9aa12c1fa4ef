"""When a period begins and ends: at midnight of a day, a Monday, a first of the month, in the time
zone of whoever it is for. Pure.

A period that has begun runs to its end, whatever becomes of the time zone meanwhile; and the next
is not short because of it, so that nobody travels into a new budget.
"""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal

Period = Literal["day", "week", "month", "ever"]

DAY = timedelta(days=1)
# How much shorter than usual a period may be that follows on another: the hour that clocks go
# forward, and for the longer ones as far as time zones are apart.
SLACK = {"day": timedelta(hours=2), "week": timedelta(hours=27), "month": timedelta(hours=27)}
FOREVER = datetime(9999, 1, 1, tzinfo=UTC)


def bounds(
    period: Period, zone: tzinfo, now: datetime, before: datetime | None = None
) -> tuple[datetime, datetime]:
    """Beginning and end of the period that `now` is in; `before` is when the last one ended."""
    if period == "ever":
        return datetime.fromtimestamp(0, UTC), FOREVER
    start, end = _around(period, zone, now)
    if before is None or before <= start:
        return start, end
    start = before
    if end - start < _shortest(period, zone, start):
        _, end = _around(period, zone, end)
    return start, end


def _shortest(period: Period, zone: tzinfo, start: datetime) -> timedelta:
    begun, ended = _around(period, zone, start)
    return (ended - begun) - SLACK[period]


def _around(period: Period, zone: tzinfo, moment: datetime) -> tuple[datetime, datetime]:
    first = _first_day(period, moment.astimezone(zone).date())
    following = _first_day(period, first + {"day": DAY, "week": 7 * DAY, "month": 32 * DAY}[period])
    return _midnight(first, zone), _midnight(following, zone)


def _first_day(period: Period, day: date) -> date:
    if period == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period == "month" else day


def _midnight(day: date, zone: tzinfo) -> datetime:
    """In UTC: the length of what is between two of these is then what clocks measure."""
    return datetime.combine(day, time(), zone).astimezone(UTC)
