"""The worker process: one rq queue, one job at a time, without forking.

rq's default worker forks for each job; an onnxruntime session does not survive that. rq with more
than one queue loses a job that is killed right after the pop, so there is exactly one. What must
survive is in the job's row: rq only says which one to look at.
"""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import django_rq
import redis
from django.db import close_old_connections
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer

from embedded.notices import Notice
from embedded.tether import follow_parent
from observability.draining import is_draining, start_draining
from observability.heartbeats import beating
from observability.stalls import ended_when_stalled

log = logging.getLogger(__name__)
HAND_BACK_SECONDS = 20
LEAVE_SECONDS = 25
AWAY_SECONDS = 2.0
STALL_SECONDS = 900.0


class Worker(SimpleWorker):
    """Closes stale database connections around each job and stops within 30 s of SIGTERM."""

    stall_seconds = STALL_SECONDS
    max_connection_wait_time = 5.0  # rq would wait for up to a minute after Redis is back

    def execute_job(self, job: Any, queue: Any) -> None:
        close_old_connections()
        try:
            with ended_when_stalled(self.stall_seconds):
                super().execute_job(job, queue)
        finally:
            close_old_connections()

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Tell the job to hand back at its next check; after 20 s, or a second signal, at once.

        One that does not even listen to that is left behind after 25 s: its lease runs out.
        """
        start_draining()
        _after(HAND_BACK_SECONDS, _insist)
        _after(LEAVE_SECONDS, _leave)
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def work(queue_name: str, *, burst: bool = False, stall_seconds: float = STALL_SECONDS) -> None:
    """Work on this queue until SIGTERM, or until it is empty in `burst`.

    The process ends when a job gives no sign of life for `stall_seconds`; whoever runs it starts
    it again.
    """
    follow_parent()
    with beating("worker"):
        while not is_draining():
            try:
                _work_while_redis_is_there(queue_name, burst, stall_seconds)
            except StopRequested:
                break
            except redis.RedisError as error:
                log.warning("worker waits for Redis: %s", error)
            if burst:
                break
            time.sleep(0 if is_draining() else AWAY_SECONDS)
    log.info("worker has stopped")


def _work_while_redis_is_there(queue_name: str, burst: bool, stall_seconds: float) -> None:
    """rq gives up, one way or another, when Redis does not answer, or is full."""
    queue = django_rq.get_queue(queue_name)
    worker = Worker(
        [queue], connection=queue.connection, serializer=JSONSerializer, job_class=Notice
    )
    worker.log_job_description = False
    # What a killed worker had popped is rung again from its row; rq would stumble over it.
    queue.connection.delete(queue.intermediate_queue.key)
    worker.stall_seconds = stall_seconds
    log.info("worker listens on queue %s", queue_name)
    worker.work(burst=burst, logging_level="WARNING")


def _after(seconds: float, act: Callable[[], None]) -> None:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    timer.start()


def _insist() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _leave() -> None:
    log.warning("worker leaves a job unfinished; it is taken up again when its lease runs out")
    os.kill(os.getpid(), signal.SIGKILL)
