"""Background jobs: the row in Postgres is the record, rq is only told which row to look at.

A task is a function `task(context: JobContext, **arguments)`, named by its dotted path. It may be
run again after a crash, so its effects must be idempotent; it calls `context.progress` or
`context.check` often, which is where it learns that it was cancelled or has lost its lease.
A task decorated with `@settled_by(function)` has that function called with the job's row when the
job has failed or was cancelled, also before it ever ran: in the transaction that closes the job.
"""

import logging
import os
import socket
from collections.abc import Callable, Collection
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from events import doorbell, leases, log, ringing
from events.context import Cancelled, HandedBack, Heartbeat, JobContext, JobFailed
from events.models import Job, Stream
from events.types import Claim, LeaseLost, Payload
from observability.patience import call_patiently, is_away
from security.ids import new_id

__all__ = [
    "Cancelled", "Heartbeat", "JobContext", "JobFailed",
    "bring_forward", "enqueue", "request_cancel", "run", "settled_by",
]  # fmt: skip

logger = logging.getLogger(__name__)

FORWARD = timedelta(days=1)  # as if they had waited for so long
BACK_OFF_SECONDS = (5, 30, 120)
# Stored as an English source string with its incident.
UNEXPECTED = gettext_noop("Something went wrong; it was logged as %(incident)s.")

Task = Callable[..., None]
Settle = Callable[[Job], None]


def settled_by(settle: Settle) -> Callable[[Task], Task]:
    """Let `settle(job)` follow up on a job of this task that ends without success."""

    def decorated(task: Task) -> Task:
        task.settle = settle  # type: ignore[attr-defined]
        return task

    return decorated


def enqueue(
    task: str,
    arguments: dict[str, Any],
    owner_id: UUID | None = None,
    subject_id: UUID | None = None,
    *,
    queue: str = "default",
    max_attempts: int = 3,
) -> Job:
    """A queued job in the caller's transaction; a worker hears of it when that commits."""
    with transaction.atomic():
        stream = leases.open_stream(new_id(), "job")
        job = Job.objects.create(
            stream=stream,
            task=task,
            arguments=arguments,
            queue=queue,
            owner_id=owner_id,
            subject_id=subject_id,
            max_attempts=max_attempts,
            ring_after=Now() + ringing.AGAIN,
        )
        transaction.on_commit(lambda: ringing.ring(str(job.pk), queue))
    return job


def run(job_id: str) -> None:
    """Run the job once, if it is due: the only function rq ever calls.

    What its task raises ends in the job's row, never in rq.
    """
    _refresh_connection()
    claim = leases.claim_one(UUID(job_id), f"{socket.gethostname()}:{os.getpid()}")
    if claim is None:
        return
    try:
        job = Job.objects.get(pk=claim.stream_id)
        _attempt(job, claim)
    except LeaseLost:
        logger.info("job %s: the lease is lost, somebody else goes on", job_id)
    finally:
        _refresh_connection()


def request_cancel(job_id: UUID) -> None:
    """Ask the job to stop: at once when it waits, at its next `check` when it runs."""
    claim = None
    with transaction.atomic():
        # Before the job's row, as whoever ends the job does.
        Stream.objects.select_for_update().filter(pk=job_id).first()
        if not Job.objects.filter(pk=job_id, finished_at=None).update(cancel_requested=True):
            return
        if Stream.objects.filter(pk=job_id, state=Stream.State.QUEUED).exists():
            claim = leases.claim_one(job_id, "cancel")
        if claim:
            _finish(claim, Job.Status.CANCELLED, "")


def bring_forward(job_ids: Collection[UUID]) -> int:
    """Those of the jobs that wait come before all others, in this order; how many.

    Workers hear of the first ones at once, of the rest as these are done: the sweeper rings for
    what has waited longest first.
    """
    waiting = Job.objects.filter(pk__in=list(job_ids), status=Job.Status.QUEUED)
    known = set(waiting.values_list("pk", flat=True))
    due = [job_id for job_id in job_ids if job_id in known]
    waiting.update(ring_after=Now() - FORWARD)
    queues = dict(waiting.values_list("pk", "queue"))
    for job_id in reversed(due[: ringing.MOST_WAITING]):
        transaction.on_commit(partial(ringing.ring, str(job_id), queues[job_id], is_late=True))
    return len(due)


def cancel_all_of(owner_id: UUID) -> None:
    """Ask every job of this person to stop."""
    found = Job.objects.filter(owner_id=owner_id, finished_at=None)
    for job_id in found.order_by("pk").values_list("pk", flat=True):
        request_cancel(job_id)


def forget(*, subject_ids: Collection[UUID]) -> None:
    """Remove the jobs on things that are being deleted; one that runs finds its lease lost."""
    _remove(Q(subject_id__in=subject_ids))


def forget_owner(owner_id: UUID) -> None:
    """Remove the jobs of a person who goes; those on things of others go on without their name."""
    _remove(Q(owner_id=owner_id, subject_id=None))
    Job.objects.filter(owner_id=owner_id).update(owner_id=None)


def _remove(which: Q) -> None:
    leases.delete(Job.objects.filter(which).values_list("pk", flat=True))


def _refresh_connection() -> None:
    """A worker lives for days: no job inherits, or keeps, a connection that a restart cut."""
    if not connection.in_atomic_block:
        connection.close()


def _attempt(job: Job, claim: Claim) -> None:
    if job.cancel_requested:
        _finish(claim, Job.Status.CANCELLED, "")
    elif claim.attempts > job.max_attempts:
        reason = _("The worker died while running this, %(count)s times.")
        _finish(claim, Job.Status.FAILED, reason % {"count": job.max_attempts})
    else:
        _work(job, claim)


def _work(job: Job, claim: Claim) -> None:
    with transaction.atomic():
        log.append(claim.stream_id, claim.fence, [("job_started", {"attempt": claim.attempts})])
        # Rung again when its lease can have run out, should this worker die.
        Job.objects.filter(pk=job.pk).update(
            status=Job.Status.RUNNING, ring_after=Now() + ringing.AGAIN
        )
    try:
        with Heartbeat(claim) as heartbeat:
            task: Task = import_string(job.task)
            task(JobContext(job, claim, heartbeat), **job.arguments)
    except LeaseLost:
        raise
    except HandedBack:
        call_patiently(_hand_back, claim)
    except Cancelled:
        call_patiently(_finish, claim, Job.Status.CANCELLED, "")
    except JobFailed as failure:
        call_patiently(_finish, claim, Job.Status.FAILED, failure.reason)
    except (SystemExit, KeyboardInterrupt):
        # Told to stop for the second time, wherever the task was.
        _refresh_connection()
        _hand_back(claim)
        raise
    except Exception as error:
        incident = uuid4().hex[:8]
        is_ours = not is_away(error)  # without Postgres there is nothing to look for in our code
        logger.log(
            logging.ERROR if is_ours else logging.WARNING,
            "job %s: attempt %s of %s failed, incident %s: %s",
            job.pk, claim.attempts, job.task, incident, error,
            exc_info=error if is_ours else None,
        )  # fmt: skip
        _refresh_connection()
        call_patiently(_retry, job, claim, incident)
    else:
        call_patiently(_finish, claim, Job.Status.SUCCEEDED, "")


def _hand_back(claim: Claim) -> None:
    _put_back(claim, "job_handed_back", {}, timedelta(0), count_attempt=False)


def _retry(job: Job, claim: Claim, incident: str) -> None:
    """Hand the job back with a pause, or fail it when it had all its attempts.

    People are told the incident, which is in the log, and never the words of an exception.
    """
    if claim.attempts >= job.max_attempts:
        _finish(claim, Job.Status.FAILED, UNEXPECTED % {"incident": incident})
        return
    seconds = BACK_OFF_SECONDS[min(claim.attempts, len(BACK_OFF_SECONDS)) - 1]
    retried: Payload = {"in_seconds": seconds, "incident": incident}
    _put_back(claim, "job_retried", retried, timedelta(seconds=seconds), count_attempt=True)


def _put_back(
    claim: Claim, kind: str, payload: Payload, pause: timedelta, *, count_attempt: bool
) -> None:
    """Queue the job again; the sweeper rings for it after the pause."""
    with transaction.atomic():
        log.append(claim.stream_id, claim.fence, [(kind, payload)])
        Job.objects.filter(pk=claim.stream_id).update(
            status=Job.Status.QUEUED, ring_after=Now() + pause
        )
        leases.release(claim.stream_id, claim.fence, count_attempt=count_attempt)
    doorbell.ring(doorbell.BELLS, str(claim.stream_id))


def _finish(claim: Claim, status: Job.Status, reason: str) -> None:
    """Close the job and its log together; raises LeaseLost when it is not ours any more."""
    payload: Payload = {"reason": reason} if reason else {}
    with transaction.atomic():
        log.append(claim.stream_id, claim.fence, [(f"job_{status.value}", payload)], close=True)
        job = Job.objects.filter(pk=claim.stream_id)
        # What has succeeded has done all there was to do.
        done = F("total" if status is Job.Status.SUCCEEDED else "done")
        job.update(status=status, reason=reason, finished_at=Now(), ring_after=None, done=done)
        if status is not Job.Status.SUCCEEDED:
            _settle(job.get())
    doorbell.ring(doorbell.BELLS, str(claim.stream_id))


def _settle(job: Job) -> None:
    try:
        task = import_string(job.task)
    except ImportError:
        logger.warning("job %s: there is no task %s any more", job.pk, job.task)
        return
    settle: Settle | None = getattr(task, "settle", None)
    if settle is not None:
        settle(job)
