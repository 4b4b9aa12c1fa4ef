"""Dates: by the calendar, in the person's time zone, within the years there are."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from accounts.models import User
from agents.tools.types import ToolRefused


@pytest.fixture
def person() -> User:
    return User(email="b@example.org", time_zone="Europe/Berlin")


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ({"date": "2026-11-22"}, "2026-11-22, Sunday, ISO week 47 of 2026, day 326"),
        ({"date": "2024-01-31", "months": 1}, "2024-02-29, Thursday"),
        ({"date": "2024-02-29", "years": 1}, "2025-02-28, Friday"),
        ({"date": "2026-03-01", "days": -1}, "2026-02-28, Saturday"),
        ({"date": "2026-01-15", "months": -13}, "2024-12-15, Sunday"),
        # An hour is missing in that night: a day later it is as late, 24 hours later it is not.
        ({"date": "2026-03-28T12:00", "days": 1}, "2026-03-29 12:00+02:00, Sunday"),
        ({"date": "2026-03-28T12:00", "hours": 24}, "2026-03-29 13:00+02:00, Sunday"),
        ({"date": "2026-07-01T12:00Z"}, "2026-07-01 14:00+02:00, Wednesday"),
        ({"date": "2026-07-01T12:00", "time_zone": "Asia/Shanghai"}, "2026-07-01 12:00+08:00"),
        ({"date": "2026-07-01", "minutes": 90}, "2026-07-01 01:30+02:00, Wednesday"),
    ],
)
def test_what_a_date_is(call, person: User, asked, first: str) -> None:
    assert call(person, "dates", **asked).text.startswith(first)


def test_how_long_it_is(call, person: User) -> None:
    text = call(person, "dates", date="2026-11-22", until="2027-01-01").text
    assert "40 days (0 years 1 months 10 days; Monday to Friday: 29)" in text
    text = call(person, "dates", date="2026-11-22", until="2026-11-20").text
    assert "-2 days (-0 years 0 months 2 days; Monday to Friday: -1)" in text
    text = call(person, "dates", date="2026-03-28T12:00", until="2026-03-29T12:00").text
    assert "23 hours 0 minutes" in text


def test_now_is_where_the_person_is(call, person: User, nobody) -> None:
    before = datetime.now(ZoneInfo("Europe/Berlin")).replace(second=0, microsecond=0)
    text = call(person, "dates").text
    assert before <= datetime.fromisoformat(text.partition(",")[0])
    assert text.endswith("Time zone: Europe/Berlin.")
    assert "Time zone: UTC." in call(nobody, "dates", date="today", time_zone="UTC").text


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"date": "soon"}, "no date"),
        ({"date": "2026-02-30"}, "no date"),
        ({"date": "9999-12-31", "days": 1}, "year 9999"),
        ({"date": "0001-01-01", "months": -1}, "year 9999"),
        ({"date": "2026-01-01", "days": 10**9}, "days"),
        ({"time_zone": "../../etc/passwd"}, "time zone"),
    ],
)
def test_it_is_refused(call, person: User, asked, why: str) -> None:
    with pytest.raises(ToolRefused, match=why):
        call(person, "dates", **asked)
