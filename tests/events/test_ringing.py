"""Jobs that nobody heard of, or whose worker died, are rung for again; a long queue is not."""

import signal

import django_rq
import pytest
from django.db.models.functions import Now
from rq import Queue
from rq.serializers import JSONSerializer

from embedded import worker
from events import jobs, leases, ringing
from events.models import Job, Stream
from observability.metrics import swept
from tests.support.tasks import HERE

from .test_leases import expire

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def queue():
    """An empty queue; the handlers that a worker installs go with the test."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    queue = django_rq.get_queue("default")
    queue.empty()
    yield queue
    queue.empty()
    for number, handler in handlers.items():
        signal.signal(number, handler)


def later():
    """What waiting until these jobs are due again would do."""
    Job.objects.filter(finished_at=None).update(ring_after=Now())


def pop_and_die(queue):
    """What rq has done when its worker is killed right after the pop: it is in no queue now."""
    found, _ = Queue.dequeue_any(
        [queue], timeout=None, connection=queue.connection, serializer=JSONSerializer
    )
    return found


def test_f03_a_worker_killed_right_after_the_pop_loses_nothing(queue, tmp_path):
    job = jobs.enqueue(HERE + "note", {"path": str(tmp_path / "notes")})
    assert pop_and_die(queue) is not None
    assert queue.count == 0
    assert Stream.objects.get(pk=job.pk).state == "queued"
    assert ringing.ring_waiting_jobs() == 0  # somebody may be on it
    later()
    assert ringing.ring_waiting_jobs() == 1
    later()
    assert ringing.ring_waiting_jobs() == 1  # rung twice is done once
    worker.work("default", burst=True)
    assert (tmp_path / "notes").read_text().split() == [str(job.pk)]
    job.refresh_from_db()
    assert job.status == "succeeded"


def test_f03_a_dead_workers_job_is_rung_when_its_lease_is_over(queue):
    job = jobs.enqueue(HERE + "note", {"path": "/nowhere/else"})
    pop_and_die(queue)
    leases.claim_one(job.pk, "dies")
    Job.objects.filter(pk=job.pk).update(status=Job.Status.RUNNING)
    later()
    assert ringing.ring_waiting_jobs() == 0
    expire(job.pk)
    before = swept.labels("jobs_rung_again")._value.get()
    assert ringing.ring_waiting_jobs() == 1
    assert swept.labels("jobs_rung_again")._value.get() == before + 1


def test_a_long_queue_is_not_rung_for_again_and_again(queue, monkeypatch):
    """Jobs that only wait their turn would fill Redis with their names."""
    monkeypatch.setattr(ringing, "MOST_WAITING", 3)
    found = [jobs.enqueue(HERE + "note", {"path": "/nowhere"}) for _ in range(5)]
    later()
    assert ringing.ring_waiting_jobs() == 0
    assert queue.count == len(found)
    queue.empty()
    assert ringing.ring_waiting_jobs() == 3
    assert ringing.ring_waiting_jobs() == 0
    assert queue.count == 3
    begun = jobs.enqueue(HERE + "note", {"path": "/nowhere"})
    leases.claim_one(begun.pk, "dies")
    expire(begun.pk)
    Job.objects.filter(pk=begun.pk).update(ring_after=Now())
    assert ringing.ring_waiting_jobs() == 1
    assert list(pop_and_die(queue).args) == [str(begun.pk)]
