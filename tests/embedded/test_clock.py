import threading

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from embedded import clock
from observability.db import connect_directly
from observability.metrics import clock_runs

runs = []


def tick():
    runs.append("tick")


def fail():
    runs.append("fail")
    raise RuntimeError("this one always fails")


@pytest.fixture(autouse=True)
def _no_runs():
    runs.clear()


def count(path, outcome):
    return clock_runs.labels(path, outcome)._value.get()


@pytest.mark.django_db
def test_a_failing_task_neither_stops_the_others_nor_its_own_next_turn():
    failing, ticking = f"{__name__}.fail", f"{__name__}.tick"
    before = count(failing, "failed")
    tasks = [clock.Task(failing, 0.0), clock.Task(ticking, 0.0)]

    clock.run_due(tasks)
    clock.run_due(tasks)

    assert runs == ["fail", "tick", "fail", "tick"]
    assert count(failing, "failed") == before + 2


@pytest.mark.django_db
def test_a_task_waits_for_its_time():
    tasks = [clock.Task(f"{__name__}.tick", 3600)]

    clock.run_due(tasks)
    clock.run_due(tasks)

    assert runs == ["tick"]


@pytest.mark.django_db
def test_one_clock_works_while_the_other_waits(settings):
    settings.CLOCK = {f"{__name__}.tick": 3600}
    stop = threading.Event()
    stop.set()
    with connect_directly() as first, connect_directly() as second:
        first.execute("select pg_advisory_lock(%s)", [clock.LOCK])
        clock.tick_while_ours(second, stop)
        assert runs == []
        first.execute("select pg_advisory_unlock(%s)", [clock.LOCK])
        clock.tick_while_ours(second, stop)

    assert runs == ["tick"]


@pytest.mark.parametrize("path", sorted(settings.CLOCK))
def test_every_task_of_the_settings_exists(path):
    assert callable(import_string(path))
