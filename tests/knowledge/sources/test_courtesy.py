"""Several sources of one server wait for each other; several servers do not."""

import time

import pytest

from knowledge.sources.courtesy import take_turn
from knowledge.sources.robots import Robots
from observability.doorbell import connection
from security.cache import absence


@pytest.fixture(autouse=True)
def _nobody_was_here():
    for key in connection().scan_iter("parley:courtesy:*"):
        connection().delete(key)


def test_a_server_is_one_visitors_at_a_time_whoever_visits():
    assert take_turn("https://a.example", 30) == 0
    assert 25 < take_turn("https://a.example", 1) <= 30
    assert take_turn("https://b.example", 30) == 0


def test_two_visits_of_a_server_keep_its_pause_between_them():
    one, other = (Robots(0.4, lambda: None) for _visit in range(2))
    began = time.monotonic()
    one.wait("https://a.example/x")
    other.wait("https://a.example/y")
    one.wait("https://a.example/z")
    assert time.monotonic() - began >= 0.75


def test_a_visit_that_is_stopped_does_not_wait_to_the_end():
    class Stopped(Exception):
        pass

    def stop() -> None:
        raise Stopped

    take_turn("https://a.example", 600)
    with pytest.raises(Stopped):
        Robots(0.1, stop).wait("https://a.example/x")


def test_without_redis_nobody_waits_for_it(monkeypatch):
    take_turn("https://a.example", 600)
    monkeypatch.setattr(absence, "ends_at", time.monotonic() + 60)
    assert take_turn("https://a.example", 600) == 0
