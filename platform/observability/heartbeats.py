"""Which processes are alive, told through Redis keys that expire on their own."""

import json
import logging
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import redis

from observability.doorbell import connection

log = logging.getLogger(__name__)
BEAT_SECONDS = 5
TTL_SECONDS = 20
PREFIX = "parley:heartbeat"


@dataclass(frozen=True)
class Heartbeat:
    """A process of `kind` (runner, worker, clock, web) that was alive at `at` (Unix time)."""

    kind: str
    host: str
    pid: int
    at: float


def beat(kind: str) -> None:
    """Say that this process is alive, for the next 20 s. Raises `redis.RedisError`.

    A full Redis takes no new words, but prolongs what was said before it was full.
    """
    now = Heartbeat(kind, socket.gethostname(), os.getpid(), time.time())
    try:
        connection().set(_key(kind), json.dumps(asdict(now)), ex=TTL_SECONDS)
    except redis.exceptions.OutOfMemoryError:
        if not connection().expire(_key(kind), TTL_SECONDS):
            raise


def seen(kind: str) -> list[Heartbeat]:
    """The processes of this kind that are alive. Raises `redis.RedisError`."""
    client = connection()
    keys = sorted(client.scan_iter(match=f"{PREFIX}:{kind}:*", count=500))
    values = client.mget(keys) if keys else []
    return [Heartbeat(**json.loads(value)) for value in values if value]


@contextmanager
def beating(kind: str) -> Iterator[None]:
    """Beat from a thread of its own while the block runs; a lost Redis is waited out.

    For processes whose main thread may be busy for long with one job.
    """
    stop = threading.Event()

    def keep_beating() -> None:
        while True:
            try:
                beat(kind)
            except redis.RedisError as problem:
                log.warning("heartbeat_failed: %s", problem)
            if stop.wait(BEAT_SECONDS):
                return

    thread = threading.Thread(target=keep_beating, name=f"{kind}-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(2)
        forget(kind)


def forget(kind: str) -> None:
    """A process that stops properly is gone at once, not when its key expires."""
    try:
        connection().delete(_key(kind))
    except redis.RedisError as problem:
        log.debug("heartbeat_not_removed: %s", problem)


def _key(kind: str) -> str:
    return f"{PREFIX}:{kind}:{socket.gethostname()}:{os.getpid()}"
