"""The worker process: one rq queue, one job at a time, without forking.

rq's default worker forks for each job; an onnxruntime session does not survive that. rq with more
than one queue loses a job that is killed right after the pop, so there is exactly one. What must
survive is in the job's row: rq only says which one to look at.
"""

import logging
import os
import signal
import threading
from types import FrameType
from typing import Any

import django_rq
from django.db import close_old_connections
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from embedded.tether import follow_parent
from observability.draining import start_draining
from observability.heartbeats import beating

log = logging.getLogger(__name__)
HAND_BACK_SECONDS = 25


class Worker(SimpleWorker):
    """Closes stale database connections around each job and stops within 30 s of SIGTERM."""

    def execute_job(self, job: Any, queue: Any) -> None:
        close_old_connections()
        try:
            super().execute_job(job, queue)
        finally:
            close_old_connections()

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Tell the job to hand back; end the process if it does not listen: its lease runs out."""
        start_draining()
        timer = threading.Timer(HAND_BACK_SECONDS, _leave)
        timer.daemon = True
        timer.start()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def work(queue_name: str, *, burst: bool = False) -> None:
    """Work on this queue until SIGTERM, or until it is empty in `burst`."""
    follow_parent()
    queue = django_rq.get_queue(queue_name)
    worker = Worker([queue], connection=queue.connection, serializer=JSONSerializer)
    worker.log_job_description = False
    log.info("worker listens on queue %s", queue_name)
    with beating("worker"):
        worker.work(burst=burst, logging_level="WARNING")
    log.info("worker has stopped")


def _leave() -> None:
    log.warning("worker leaves a job unfinished; it is taken up again when its lease runs out")
    os.kill(os.getpid(), signal.SIGKILL)
