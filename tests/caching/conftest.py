import asyncio
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Coroutine
from pathlib import Path

import pytest
import redis
from django.conf import settings

from caching import servers
from caching.cache import caches
from caching.decorator import cached
from caching.place import close_caches, current_place
from embedded.redis import binary
from observability.doorbell import connection

ASKER = Path(__file__).with_name("asker.py")


@pytest.fixture(autouse=True)
def _calm(monkeypatch):
    """A busy machine is not a Redis that is away, and tests know nothing of each other."""
    monkeypatch.setattr(servers, "PATIENCE_SECONDS", 20)
    servers._sync_client.cache_clear()
    yield
    servers._sync_client.cache_clear()
    for name in [name for name in caches if name.startswith("test-")]:
        del caches[name]
    for key in connection().scan_iter("parley:cache:{test-*"):
        connection().delete(key)


def run(work: Coroutine):
    """In a loop of its own, which knows no more than another process."""

    async def main():
        try:
            return await work
        finally:
            await close_caches()

    return asyncio.run(main())


async def listening():
    """Until flushes and bells are heard."""
    async with asyncio.timeout(60):
        while not current_place().is_listening:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


async def until(holds):
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


def raw():
    """Redis, in bytes."""
    return servers.sync_client()


def counted(name, answer=lambda x: [x], **options):
    """A cached function, and the arguments that it was really called with."""
    calls = []

    @cached(name=name, **{"ttl": 60, **options})
    async def ask(x, times=1):
        calls.append(x)
        await asyncio.sleep(0)
        return answer(x)

    return ask, calls


class Asker:
    """A process of its own that asks `times` for the same; see asker.py."""

    def __init__(self, name: str, times: int, **options: object) -> None:
        lines = [f"{key}={value}" for key, value in options.items()]
        self.process = subprocess.Popen(
            [sys.executable, str(ASKER), name, str(times), *lines],
            env=os.environ | {
                "PYTHONPATH": "platform",
                "REDIS_URL": settings.REDIS_URL,
                "SECRET_KEY": settings.SECRET_KEY,
            },
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def answers(self) -> list[str]:
        out, _ = self.process.communicate(timeout=100)
        assert self.process.returncode == 0
        return out.split()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def askers():
    """Starts askers, and ends what is left of them."""
    begun = []

    def begin(*args, **options):
        begun.append(Asker(*args, **options))
        return begun[-1]

    yield begin
    for asker in begun:
        asker.kill()


def free_port() -> int:
    """One whose bus port, 10,000 above, is free too."""
    while True:
        port = random.randrange(20_000, 50_000)
        try:
            for number in (port, port + 10_000):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
        except OSError:
            continue
        return port


class OwnRedis:
    """A redis-server of one test on a port, to be killed and started again."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = port = free_port()
        self.url = f"redis://127.0.0.1:{port}/0"
        self.client = redis.Redis(port=port)
        self._folder = folder
        self._command = [
            str(binary()), "--port", str(port), "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "no", "--dir", str(folder), *options,
        ]  # fmt: skip
        folder.mkdir(exist_ok=True)
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.client.ping()
            except redis.ConnectionError:
                assert time.monotonic() < deadline
                time.sleep(0.02)
            else:
                return

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        self.client.close()
        self.kill()
