"""Telling workers of jobs, through rq, and again when nobody seems to have heard."""

import logging
from datetime import timedelta
from functools import cache

import django_rq
import redis
import rq
from django.conf import settings
from django.db.models.functions import Now

from events.leases import LEASE_SECONDS
from events.models import Job, Stream
from observability.metrics import swept

logger = logging.getLogger(__name__)

RUN = "events.jobs.run"
# How long a rung job may stay silent before it is rung again.
AGAIN = timedelta(seconds=LEASE_SECONDS)
MOST_WAITING = 200  # rq hears of no more at once: a long queue is not rung for again and again
PATIENCE_SECONDS = 1.0
JOB_TIMEOUT_SECONDS = 6 * 3600


def ring(job_id: str, queue: str, *, is_late: bool = False) -> None:
    """Tell a worker to look at the job's row, next if it `is_late`; without Redis the sweeper
    does it later."""
    try:
        _queue(queue).enqueue(
            RUN, job_id, job_timeout=JOB_TIMEOUT_SECONDS, result_ttl=0, failure_ttl=3600,
            at_front=is_late,
        )  # fmt: skip
    except redis.RedisError as error:
        logger.warning("job %s waits for the sweeper: %s", job_id, error)


def ring_waiting_jobs() -> int:
    """Ring again for jobs that should have been heard of, also those whose worker died; how many.

    What waits in a queue that is long enough is not rung for: it is heard of when that is shorter.
    A job that was begun already comes next.
    """
    return sum(_ring_waiting(queue) for queue in settings.RQ_QUEUES)


def _ring_waiting(queue: str) -> int:
    try:
        room = MOST_WAITING - _queue(queue).count
    except redis.RedisError as error:
        logger.warning("jobs wait for Redis: %s", error)
        return 0
    due = Job.objects.filter(
        queue=queue, status__in=(Job.Status.QUEUED, Job.Status.RUNNING), ring_after__lte=Now()
    ).order_by("ring_after")
    begun = due.filter(stream__lease_until__lt=Now()).values_list("pk", flat=True)
    waiting = due.filter(stream__state=Stream.State.QUEUED).values_list("pk", flat=True)
    late = list(begun[:MOST_WAITING])
    found = late + list(waiting[: max(room, 0)])
    Job.objects.filter(pk__in=found).update(ring_after=Now() + AGAIN)
    for pk in found:
        ring(str(pk), queue, is_late=pk in late)
    swept.labels("jobs_rung_again").inc(len(found))
    return len(found)


def _queue(name: str) -> rq.Queue:
    return django_rq.get_queue(name, connection=_impatient(settings.REDIS_URL))


@cache
def _impatient(address: str) -> redis.Redis:
    """Whoever rings waits for a frozen Redis for a second; workers wait as long as it takes."""
    return redis.Redis.from_url(
        address,
        socket_timeout=PATIENCE_SECONDS,
        socket_connect_timeout=PATIENCE_SECONDS,
    )
