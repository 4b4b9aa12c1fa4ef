"""Days, weeks and months in somebody's time zone, also when that changes."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.budgets.periods import FOREVER, SLACK, bounds

BERLIN, TOKYO, APIA = (ZoneInfo(name) for name in ("Europe/Berlin", "Asia/Tokyo", "Pacific/Apia"))
ZONES = ["UTC", "Pacific/Apia", "Pacific/Pago_Pago", "America/Sao_Paulo", "Europe/Berlin",
         "Asia/Kathmandu", "Australia/Lord_Howe"]  # fmt: skip
USUAL = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=28)}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("period", "zone", "now", "expected"),
    [
        ("day", UTC, "2026-03-04T12:00", ("2026-03-04T00:00", "2026-03-05T00:00")),
        ("day", TOKYO, "2026-03-04T16:00", ("2026-03-04T15:00", "2026-03-05T15:00")),
        ("day", BERLIN, "2026-03-29T12:00", ("2026-03-28T23:00", "2026-03-29T22:00")),
        ("week", UTC, "2026-03-04T12:00", ("2026-03-02T00:00", "2026-03-09T00:00")),
        ("month", BERLIN, "2026-12-31T23:30", ("2026-12-31T23:00", "2027-01-31T23:00")),
        ("month", UTC, "2024-02-29T00:00", ("2024-02-01T00:00", "2024-03-01T00:00")),
    ],
)
def test_a_period_begins_where_its_owner_is(period, zone, now, expected):
    assert bounds(period, zone, at(now)) == tuple(map(at, expected))


def test_storage_has_one_that_does_not_end():
    assert bounds("ever", UTC, at("2026-03-04T12:00"))[1] == FOREVER


def test_whoever_travels_west_and_east_has_no_new_day_for_it():
    """The last one ended at midnight in Tokyo; it is a quarter of an hour to midnight in Apia."""
    before = at("2026-03-04T15:00")
    start, end = bounds("day", APIA, at("2026-03-05T10:45"), before)
    assert start == before
    assert end == at("2026-03-06T11:00"), "not fifteen minutes, but until the next midnight there"


@given(
    period=st.sampled_from(["day", "week", "month"]),
    zones=st.lists(st.sampled_from(ZONES), min_size=2, max_size=12),
    first=st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    waits=st.lists(st.floats(0, 0.99), min_size=12, max_size=12),
)
def test_periods_follow_each_other_and_none_is_short(period, zones, first, waits):
    """However often the time zone changes: no gap, no overlap, and as many budgets as there are
    days."""
    before, now = None, first
    for zone, wait in zip(zones, waits, strict=False):
        start, end = bounds(period, ZoneInfo(zone), now, before)
        assert start <= now < end
        if before is not None:
            assert start >= before
            if start == before:
                assert end - start >= USUAL[period] - SLACK[period] - timedelta(hours=2)
        before = end
        now = end + timedelta(hours=wait)
