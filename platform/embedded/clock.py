"""The clock process: runs short tasks every so many seconds, on one machine at a time.

A plain loop, not rq's cron: rq only enqueues, and the sweepers here are what brings jobs back
when rq, its Redis or its workers are in trouble. They must run exactly then, so they run here.
"""

import logging
import signal
import threading
import time
from dataclasses import dataclass
from types import FrameType

import psycopg
from django.conf import settings
from django.db import close_old_connections
from django.utils.module_loading import import_string

from embedded.tether import follow_parent
from observability.db import connect_directly
from observability.heartbeats import beating
from observability.metrics import clock_runs

log = logging.getLogger(__name__)
LOCK = 0x7061726C65790001  # "parley", 1: advisory lock of the one clock that works
TRY_AGAIN_SECONDS = 5.0


@dataclass
class Task:
    """A function without arguments, by dotted path, to run every `seconds`."""

    path: str
    seconds: float
    due: float = 0.0

    def run(self) -> None:
        """Run it; a failure is logged and waits for its next turn."""
        started = time.perf_counter()
        outcome = "ok"
        close_old_connections()
        try:
            import_string(self.path)()
        except Exception:
            outcome = "failed"
            log.exception("clock: %s failed", self.path)
        finally:
            close_old_connections()
        clock_runs.labels(self.path, outcome).inc()
        log.debug("clock: %s took %.3f s", self.path, time.perf_counter() - started)


def run() -> None:
    """Run `settings.CLOCK` until SIGTERM or SIGINT; wait in line while another clock runs."""
    follow_parent()
    stop = threading.Event()

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, request_stop)
    signal.signal(signal.SIGINT, request_stop)
    log.info("clock has started")
    with beating("clock"):
        while not stop.is_set():
            try:
                with connect_directly(connect_timeout=5) as turn:
                    tick_while_ours(turn, stop)
            except psycopg.OperationalError as problem:
                log.warning("clock waits for Postgres: %s", str(problem).split("\n")[0])
            stop.wait(TRY_AGAIN_SECONDS)
    log.info("clock has stopped")


def tick_while_ours(turn: "psycopg.Connection[tuple[object, ...]]", stop: threading.Event) -> None:
    """Run the tasks while `turn`'s session holds the lock; it is lost with the connection."""
    row = turn.execute("select pg_try_advisory_lock(%s)", [LOCK]).fetchone()
    if row is None or not row[0]:
        return
    tasks = [Task(path, seconds) for path, seconds in settings.CLOCK.items()]
    while True:
        turn.execute("select 1")
        run_due(tasks)
        if stop.wait(max(min(task.due for task in tasks) - time.monotonic(), 0.1) if tasks else 60):
            return


def run_due(tasks: list[Task]) -> None:
    """Run each task whose time has come, and set its next time."""
    for task in tasks:
        if time.monotonic() >= task.due:
            task.run()
            task.due = time.monotonic() + task.seconds
