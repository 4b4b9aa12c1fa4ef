import json
import signal
import zlib

import django_rq
import pytest

from embedded import worker

pytestmark = pytest.mark.django_db(transaction=True)
done = []


def note(word):
    done.append(word)


def fail():
    raise RuntimeError("this one fails")


def called_back(*arguments):
    done.append("called back")


@pytest.fixture(autouse=True)
def _nothing_done(settings):
    """An empty queue; and the handlers that a worker installs go with the test."""
    settings.PARLEY_RQ_CALLS = {f"{__name__}.note", f"{__name__}.fail"}
    done.clear()
    django_rq.get_queue("default").empty()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_jobs_run_in_this_process_one_after_the_other():
    queue = django_rq.get_queue("default")
    for word in ("first", "second"):
        queue.enqueue(f"{__name__}.note", word)
    worker.work("default", burst=True)

    assert done == ["first", "second"]


def test_a_failing_job_does_not_stop_the_next():
    queue = django_rq.get_queue("default")
    queue.enqueue(f"{__name__}.fail", failure_ttl=60)
    queue.enqueue(f"{__name__}.note", "after")
    worker.work("default", burst=True)

    assert done == ["after"]


def test_what_redis_holds_is_json_and_never_code():
    queue = django_rq.get_queue("default")
    job = queue.enqueue(f"{__name__}.note", "as text")

    stored = queue.connection.hget(job.key, "data")
    assert json.loads(zlib.decompress(stored))[2] == ["as text"]
