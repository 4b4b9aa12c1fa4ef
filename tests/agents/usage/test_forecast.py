from datetime import date, timedelta

import pytest

from agents.usage.forecast import forecast

TODAY = date(2026, 11, 16)  # a Monday


def days(count, value, until=TODAY):
    return {until - timedelta(n): value(until - timedelta(n)) for n in range(count)}


def test_what_goes_on_as_before_ends_as_before():
    found = forecast(days(40, lambda _day: 10.0), TODAY, share_of_today=1.0)
    assert found.so_far == 160
    assert found.expected == pytest.approx(300)
    assert found.low == pytest.approx(300)
    assert found.high == pytest.approx(300)


def test_who_rests_at_weekends_is_expected_to():
    """Ten days are left after today, the last of them Monday the 30th: ten workdays."""
    values = days(60, lambda day: 0.0 if day.weekday() > 4 else 20.0)
    found = forecast(values, TODAY, share_of_today=1.0)
    workdays = 10 * 20
    assert found.so_far == 11 * 20
    assert found.expected == pytest.approx(220 + workdays, rel=0.03)
    assert found.low <= found.expected <= found.high


def test_what_is_left_of_today_counts_too():
    values = days(40, lambda day: 0.0 if day == TODAY else 10.0)
    morning = forecast(values, TODAY, share_of_today=0.0)
    night = forecast(values, TODAY, share_of_today=1.0)
    assert morning.expected - night.expected == pytest.approx(10)


@pytest.mark.parametrize("known", [0, 1, 3])
def test_nothing_is_said_of_too_few_days(known):
    assert forecast(days(known, lambda _day: 5.0), TODAY, 0.5) is None


def test_who_begins_now_did_not_rest_before():
    found = forecast(days(5, lambda _day: 10.0), TODAY, share_of_today=1.0)
    assert found.expected == pytest.approx(50 + 14 * 10)


def test_it_is_never_below_what_is_used_up():
    values = days(20, lambda day: 100.0 if day.day == 10 else 0.5)
    found = forecast(values, TODAY, share_of_today=0.5)
    assert found.so_far <= found.low <= found.expected <= found.high


def test_on_the_last_day_only_that_day_is_left():
    last = date(2026, 11, 30)
    found = forecast(days(60, lambda _day: 10.0, last), last, share_of_today=0.25)
    assert found.expected == pytest.approx(300 + 7.5)
