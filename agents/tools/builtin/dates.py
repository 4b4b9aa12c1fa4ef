"""Dates by the calendar, in the person's time zone: models know neither today nor weekdays."""

import calendar
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from pydantic import Field, StringConstraints

from accounts.time_zones import known_time_zone, time_zone_of
from agents.tools.registry import tool
from agents.tools.types import Effect, ToolCalling, ToolOutput, ToolRefused

RELATIVE = {"today": 0, "now": 0, "tomorrow": 1, "yesterday": -1}
WEEKEND = 5  # the first weekday of it

Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)]
Amount = Annotated[int, Field(ge=-100_000, le=100_000)]


@tool(title=_("Dates and times"), effect=Effect.NONE, icon="calendar", timeout=5)
async def dates(
    calling: ToolCalling,
    date: Text = "now",
    until: Text = "",
    *,
    years: Amount = 0,
    months: Amount = 0,
    days: Amount = 0,
    hours: Amount = 0,
    minutes: Amount = 0,
    time_zone: Text = "",
) -> ToolOutput:
    """What is now or a date (ISO, today, now) with its weekday and week; that much later or, below
    zero, earlier; and how long it is until another date."""
    zone = _zone(calling, time_zone)
    try:
        start = _read(date, zone)
        found = _later(start, years * 12 + months, timedelta(days=days))
        found = _passed(found, timedelta(hours=hours, minutes=minutes), zone)
        lines = [_said(found)]
        if until:
            lines += _between(found, _read(until, zone))
    except OverflowError:
        raise ToolRefused("Dates go from the year 1 to the year 9999.") from None
    data = {"kind": "date", "lines": lines, "time_zone": str(zone)}
    return ToolOutput("\n".join([*lines, f"Time zone: {zone}."]), data)


def _zone(calling: ToolCalling, name: str) -> Any:
    try:
        if known_time_zone(name):
            return ZoneInfo(name)
    except ValueError as error:
        raise ToolRefused(str(error)) from None
    return time_zone_of(calling.user) or timezone.get_default_timezone()


def _read(text: str, zone: Any) -> date:
    """A day, or a moment where a time is named; raises ToolRefused."""
    now = datetime.now(zone)
    word = text.lower()
    if word == "now":
        return now
    if word in RELATIVE:
        return now.date() + timedelta(days=RELATIVE[word])
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ToolRefused(
            f"“{text}” is no date. Write 2026-03-14, 2026-03-14T15:30, today or now."
        ) from None
    return found.replace(tzinfo=zone) if found.tzinfo is None else found.astimezone(zone)


def _later(start: date, months: int, days: timedelta = timedelta(0)) -> date:
    """A month ends where it ends; a day later it is as late."""
    months += start.year * 12 + start.month - 1
    year, month = divmod(months, 12)
    try:
        last = calendar.monthrange(year, month + 1)[1]
        return start.replace(year=year, month=month + 1, day=min(start.day, last)) + days
    except ValueError:
        raise OverflowError from None


def _passed(start: date, time_passed: timedelta, zone: Any) -> date:
    """Hours pass as they do, whatever clocks are put to meanwhile."""
    if not time_passed:
        return start
    if not isinstance(start, datetime):
        start = datetime.combine(start, time(), zone)
    return (start.astimezone(UTC) + time_passed).astimezone(start.tzinfo)


def _said(found: date) -> str:
    week = found.isocalendar()
    when = found.isoformat(sep=" ", timespec="minutes") if isinstance(found, datetime) else (
        found.isoformat()
    )  # fmt: skip
    day = calendar.day_name[found.weekday()]
    return f"{when}, {day}, ISO week {week.week} of {week.year}, day {found.timetuple().tm_yday}"


def _between(start: date, end: date) -> list[str]:
    """How long it is from one to the other."""
    lines = [f"until {_said(end)}:"]
    first, last = _day(start), _day(end)
    count = (last - first).days
    lines.append(
        f"{count} days ({_parts(first, last)}; Monday to Friday: {_weekdays(first, last)})"
    )
    if isinstance(start, datetime) and isinstance(end, datetime):
        seconds = int((end.astimezone(UTC) - start.astimezone(UTC)).total_seconds())
        sign, seconds = ("-" if seconds < 0 else ""), abs(seconds)
        lines.append(f"{sign}{seconds // 3600} hours {seconds % 3600 // 60} minutes")
    return lines


def _day(found: date) -> date:
    return found.date() if isinstance(found, datetime) else found


def _parts(first: date, last: date) -> str:
    """In years, months and days, as people count them."""
    sign = "-" if last < first else ""
    first, last = sorted((first, last))
    months = (last.year - first.year) * 12 + last.month - first.month
    if _day(_later(first, months)) > last:
        months -= 1
    days = (last - _day(_later(first, months))).days
    return f"{sign}{months // 12} years {months % 12} months {days} days"


def _weekdays(first: date, last: date) -> int:
    """Without the last day; below zero where it comes first."""
    if last < first:
        return -_weekdays(last, first)
    weeks, rest = divmod((last - first).days, 7)
    return weeks * 5 + sum((first.weekday() + n) % 7 < WEEKEND for n in range(rest))
