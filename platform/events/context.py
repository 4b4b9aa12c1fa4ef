"""What a running job sees of the outside: progress to report, orders to obey, a lease to keep."""

import logging
import threading
import time
from types import TracebackType
from typing import Self

from django.db import Error, connection, transaction

from events import doorbell, leases, log
from events.models import Job
from events.types import Claim, LeaseLost
from observability.draining import is_draining
from observability.stalls import give_sign_of_life

logger = logging.getLogger(__name__)

REPORT_EVERY_SECONDS = 0.25


class Cancelled(Exception):
    """Somebody asked this job to stop."""


class HandedBack(Exception):
    """This worker is to stop: another one does the job anew."""


class JobFailed(Exception):
    """Trying again would not help; `reason` tells the user why, in plain words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = str(reason)


class Heartbeat:
    """Keeps a lease alive from a thread of its own while the task computes."""

    def __init__(self, claim: Claim, lease: float = leases.LEASE_SECONDS) -> None:
        self._claim = claim
        self._lease = lease
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="lease", daemon=True)
        self.lost = threading.Event()

    @property
    def is_lost(self) -> bool:
        return self.lost.is_set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def _beat(self) -> None:
        held = [(self._claim.stream_id, self._claim.fence)]
        try:
            while not self._done.wait(self._lease / 3):
                try:
                    if not leases.renew(held, self._lease):
                        self.lost.set()
                except Error:
                    logger.warning("lease of %s not renewed", self._claim.stream_id, exc_info=True)
                connection.close()
        finally:
            connection.close()


class JobContext:
    """Handed to every task as its first argument."""

    def __init__(self, job: Job, claim: Claim, heartbeat: Heartbeat) -> None:
        self.job = job
        self.attempt = claim.attempts
        self._claim = claim
        self._heartbeat = heartbeat
        self._stage = job.stage
        self._reported = 0.0

    def progress(self, stage: str, done: int, total: int) -> None:
        """Show where the job is; a new stage and its end at once, the rest four times a second.

        Raises what `check` raises.
        """
        now = time.monotonic()
        is_news = stage != self._stage or done >= total
        if not is_news and now - self._reported < REPORT_EVERY_SECONDS:
            return
        self._stage, self._reported = stage, now
        self.check()
        with transaction.atomic():
            log.append(
                self._claim.stream_id,
                self._claim.fence,
                [("job_progress", {"stage": stage, "done": done, "total": total})],
            )
            Job.objects.filter(pk=self.job.pk).update(stage=stage, done=done, total=total)
        doorbell.ring(doorbell.BELLS, str(self._claim.stream_id))

    def emit(self, kind: str, payload: dict[str, object]) -> None:
        """Append an event of the task's own to the job's log."""
        log.append(self._claim.stream_id, self._claim.fence, [(kind, payload)])
        doorbell.ring(doorbell.BELLS, str(self._claim.stream_id))

    def check(self) -> None:
        """Raise Cancelled when somebody asked the job to stop, LeaseLost when it is not ours.

        Raises HandedBack when this worker was told to stop. A task that never calls this is taken
        for stalled after a while, and its worker ends.
        """
        give_sign_of_life()
        if is_draining():
            raise HandedBack
        if self._heartbeat.is_lost:
            raise LeaseLost(str(self.job.pk))
        with connection.cursor() as cursor:
            cursor.execute(
                """
                select j.cancel_requested from events_job j join events_stream s on s.id = j.id
                where j.id = %s and s.fence = %s and s.state = 'running'
                """,
                [self.job.pk, self._claim.fence],
            )
            row = cursor.fetchone()
        if row is None:
            raise LeaseLost(str(self.job.pk))
        if row[0]:
            raise Cancelled
