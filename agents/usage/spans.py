"""The days that a page is about."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.utils import timezone

PERIODS = (7, 30, 90)
USUAL = 30


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days of a time zone, both ends included."""

    first: date
    last: date
    zone: tzinfo

    @property
    def days(self) -> list[date]:
        return [self.first + timedelta(n) for n in range(len(self))]

    @property
    def since(self) -> datetime:
        return midnight(self.first, self.zone)

    @property
    def until(self) -> datetime:
        return midnight(self.last + timedelta(1), self.zone)

    def __len__(self) -> int:
        return (self.last - self.first).days + 1


def last_days(count: int, zone: tzinfo | None = None, now: datetime | None = None) -> Span:
    """Today is the last of them."""
    zone = zone or timezone.get_current_timezone()
    today = timezone.localtime(now, zone).date()
    return Span(today - timedelta(count - 1), today, zone)


def period_of(text: str) -> int:
    """What an address asks for, as days; the usual one where it asks for nothing we have."""
    return int(text) if text in map(str, PERIODS) else USUAL


def share_of_day(zone: tzinfo, now: datetime | None = None) -> float:
    """How much of today is over, 0 to 1."""
    here = timezone.localtime(now, zone)
    begun, ended = midnight(here.date(), zone), midnight(here.date() + timedelta(1), zone)
    return (here - begun) / (ended - begun)


def midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
