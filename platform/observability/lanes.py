"""Threads for the database work of coroutines; what waits in one lane delays no other.

Channels and asgiref would give all coroutines outside HTTP requests one thread, or each call a new
one; an executor of the standard library costs twice as much for each hop.
"""

import asyncio
import atexit
import logging
import threading
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, ParamSpec, TypeVar

import psycopg
from django.db import connections
from django.utils.translation import activate, deactivate_all, get_language

from observability.postgres.base import check

P = ParamSpec("P")
T = TypeVar("T")

KEPT_SECONDS = 0.5  # an idle thread holds its connection for so long
LEAVE_SECONDS = 30.0  # what is at work when the process ends may finish

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Job:
    """One call, and where its result goes."""

    call: Callable[[], Any]
    context: Context
    language: str | None
    loop: asyncio.AbstractEventLoop
    done: "asyncio.Future[Any]"

    def run(self) -> None:
        if self.done.cancelled():
            return
        try:
            result, error = self.context.run(self._speaking), None
        except BaseException as problem:  # noqa: BLE001 - it is the caller's
            result, error = None, problem
        try:
            self.loop.call_soon_threadsafe(_settle, self.done, result, error)
        except RuntimeError:
            log.debug("a loop ended before the work it had asked for")

    def _speaking(self) -> Any:
        """asgiref would hide from the thread the language that came with the context."""
        activate(self.language) if self.language else deactivate_all()
        return _with_connection(self.call)


class Lane:
    """A few threads; each keeps its connection while there is work, and gives it back soon after,
    so that none is held while a coroutine waits for something else.

    Whoever worked last works next: few connections do most of the work, and stay warm.
    """

    def __init__(self, name: str, threads: int) -> None:
        self._name = name
        self._missing = threads
        self._lock = threading.Lock()
        self._waiting: deque[Job] = deque()
        self._idle: list[SimpleQueue[Job | None]] = []
        self._threads: list[threading.Thread] = []
        self._is_closed = False
        atexit.register(self._close)

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a sync function here; the language and other context of the caller come along."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        call = (lambda: function(*args, **kwargs)) if args or kwargs else function
        self._put(Job(call, copy_context(), get_language(), loop, done))
        return await done

    def _put(self, job: Job) -> None:
        with self._lock:
            if self._idle:
                self._idle.pop().put(job)
                return
            self._waiting.append(job)
            if not self._missing:
                return
            self._missing -= 1
            number = len(self._threads)
            thread = threading.Thread(target=self._work, name=f"{self._name}_{number}", daemon=True)
            self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        inbox: SimpleQueue[Job | None] = SimpleQueue()
        while (job := self._next(inbox)) is not None:
            job.run()
            del job  # and what it holds
        connections.close_all()

    def _next(self, inbox: "SimpleQueue[Job | None]") -> Job | None:
        """What waits, or comes; None when the process ends."""
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            if self._is_closed:
                return None
            self._idle.append(inbox)
        try:
            return inbox.get(timeout=KEPT_SECONDS)
        except Empty:
            connections.close_all()
            return inbox.get()

    def _close(self) -> None:
        with self._lock:
            self._is_closed = True
            for inbox in self._idle:
                inbox.put(None)
        for thread in self._threads:
            thread.join(LEAVE_SECONDS)


def _settle(done: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)


def _with_connection(call: Callable[[], Any]) -> Any:
    """Call it with the connection this thread has; one that is in doubt goes back to its pool,
    which looks at it."""
    _look_at_connections()
    is_well = False
    try:
        result = call()
        is_well = not any(c.errors_occurred or c.in_atomic_block for c in _open_connections())
        return result
    finally:
        if not is_well:
            connections.close_all()


def _look_at_connections() -> None:
    for kept in _open_connections():
        try:
            check(kept.connection)
        except psycopg.Error:
            kept.close()


def _open_connections() -> list[Any]:
    return [c for c in connections.all(initialized_only=True) if c.connection is not None]
