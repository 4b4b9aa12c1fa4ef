"""`@cached`: what a function answered is used again, by everybody, until it is over."""

import asyncio
from collections.abc import Coroutine

import pytest

from caching import servers
from caching.cache import caches
from caching.decorator import cached
from caching.flushing import flush
from caching.place import close_caches, current_place


@pytest.fixture(autouse=True)
def _calm(monkeypatch):
    """A busy machine is not a Redis that is away."""
    monkeypatch.setattr(servers, "PATIENCE_SECONDS", 20)
    yield
    for name in [name for name in caches if name.startswith("test-")]:
        del caches[name]


def run(work: Coroutine):
    """In a loop of its own, as another process would."""

    async def main():
        try:
            return await work
        finally:
            await close_caches()

    return asyncio.run(main())


def counted(name, answer=lambda x: [x], **options):
    calls = []

    @cached(name=name, **{"ttl": 60, **options})
    async def ask(x, times=1):
        calls.append(x)
        return answer(x)

    return ask, calls


async def listening():
    async with asyncio.timeout(30):
        while not current_place().is_listening:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)


def test_asked_once_for_all_loops():
    ask, calls = counted("test-once")
    assert [run(ask(1)), run(ask(1, times=1)), run(ask(x=1)), run(ask(2))] == [[1], [1], [1], [2]]
    assert calls == [1, 2]


def test_many_at_once_are_one_call():
    ask, calls = counted("test-many")

    async def many():
        return await asyncio.gather(*(ask(1) for _ in range(500)))

    assert run(many()) == [[1]] * 500
    assert calls == [1]


def test_flushed_is_asked_again():
    ask, calls = counted("test-flush", scope=lambda x: f"person:{x}")

    async def work():
        await ask(1)
        await listening()
        await ask(1)
        await ask(2)
        assert await asyncio.to_thread(flush, "test-flush", "person:1")
        await ask(1)
        await ask(2)
        assert calls == [1, 2, 1]
        assert await asyncio.to_thread(ask.flush)
        await ask(2)
        assert calls == [1, 2, 1, 2]

    run(work())
