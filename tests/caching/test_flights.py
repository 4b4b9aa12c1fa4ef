"""One making of an entry at a time, in a process and over all of them; whoever dies is replaced."""

import asyncio

import pytest

from agents.reuse.answers import ANSWERS
from agents.reuse.programs import SAID
from caching.cache import Cache, Hit
from caching.decorator import cached
from caching.flight import Flight
from observability.doorbell import connection
from tests.caching.conftest import counted, listening, run, until


def test_500_at_once_are_one_call():
    ask, calls = counted("test-many")

    async def many():
        return await asyncio.gather(*(ask(1) for _ in range(500)))

    assert run(many()) == [[1]] * 500
    assert calls == [1]


@pytest.mark.processes
def test_500_at_once_in_four_processes_are_one_call(askers):
    connection().delete("test-stampede:calls")
    begun = [askers("test-stampede", 125, seconds=1) for _ in range(4)]
    assert [answer for asker in begun for answer in asker.answers()] == ["1"] * 500
    assert connection().get("test-stampede:calls") == "1"


@pytest.mark.processes
def test_who_is_killed_while_making_it_is_replaced(askers):
    connection().delete("test-killed:calls")
    dying = askers("test-killed", 3, seconds=300, lease=1)

    async def work():
        await until(lambda: connection().get("test-killed:calls") == "1")

    asyncio.run(work())
    dying.process.kill()
    assert askers("test-killed", 3, seconds=0, lease=1).answers() == ["2"] * 3


def test_an_error_can_be_that_of_who_asks_alone():
    """Of a budget that is used up, say: who waits is another person, and asks then."""
    error, calls = ValueError("hers"), []

    async def work():
        cache = Cache("test-own-errors", ttl=60, near=0, shares_errors=False)

        async def ask():
            calls.append(1)
            is_first = len(calls) == 1
            await asyncio.sleep(0.05)
            if is_first:
                raise error
            return "answer"

        waiting = (cache.fetch("x", ask) for _ in range(20))
        first, *others = await asyncio.gather(*waiting, return_exceptions=True)
        assert first is error
        assert others == ["answer"] * 19
        assert [await cache.fetch("x", ask) for _ in range(2)] == ["answer"] * 2
        assert len(calls) == 21

    run(work())


def test_of_answers_it_is():
    assert not any(cache._shares_errors for cache in (*ANSWERS.values(), SAID))


def test_an_error_is_that_of_all_who_wait_and_is_not_kept():
    error = ValueError("no answer")
    calls = []

    @cached(name="test-error", ttl=60)
    async def ask():
        calls.append(1)
        await asyncio.sleep(0.05)
        if len(calls) == 1:
            raise error
        return "answer"

    async def work():
        found = await asyncio.gather(*(ask() for _ in range(20)), return_exceptions=True)
        assert found == [error] * 20
        assert await ask() == "answer"

    run(work())
    assert len(calls) == 2


def test_who_leaves_takes_nothing_from_the_others():
    calls, go = [], asyncio.Event()

    @cached(name="test-left", ttl=60)
    async def ask():
        calls.append(1)
        await go.wait()
        return "answer"

    async def work():
        first, second, third = (asyncio.create_task(ask()) for _ in range(3))
        await until(lambda: calls == [1])
        third.cancel()
        first.cancel()
        await until(lambda: calls == [1, 1])
        go.set()
        assert await second == "answer"
        assert first.cancelled()
        assert third.cancelled()

    run(work())


def test_stale_is_used_while_it_is_made_anew_by_one():
    calls, go = [], asyncio.Event()

    @cached(name="test-stale", ttl=0.1, stale=600)
    async def ask():
        calls.append(1)
        if len(calls) > 1:
            await go.wait()
        return len(calls)

    async def work():
        assert await ask() == 1
        await asyncio.sleep(0.12)
        assert await asyncio.gather(*(ask() for _ in range(20))) == [1] * 20
        await until(lambda: len(calls) == 2)
        assert await ask() == 1
        go.set()
        async with asyncio.timeout(60):
            while await ask() == 1:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    run(work())


def test_stale_stays_when_it_cannot_be_made_anew():
    calls = []

    @cached(name="test-stays", ttl=0.1, stale=600)
    async def ask():
        calls.append(1)
        if len(calls) > 1:
            raise RuntimeError
        return "old"

    async def work():
        assert await ask() == "old"
        async with asyncio.timeout(60):
            while len(calls) < 3:
                assert await ask() == "old"
                await asyncio.sleep(0.02)

    run(work())


def test_by_hand_for_what_is_no_function():
    """As an answer that streams: look, and keep what was said when it is complete."""
    cache: Cache[str] = Cache("test-hand", ttl=60)

    async def work():
        flight = await cache.find(["question", 1])
        assert isinstance(flight, Flight)
        waiting = asyncio.create_task(cache.find(["question", 1]))
        async with flight:
            await asyncio.sleep(0.01)
        other = await waiting
        assert isinstance(other, Flight)  # nothing was kept, so the next one makes it
        async with other:
            assert await other.keep("answer") == "answer"
        assert await cache.find(["question", 1]) == Hit("answer")

    run(work())


def test_a_lease_is_renewed_for_as_long_as_it_takes(monkeypatch):
    monkeypatch.setattr("caching.flight.LEASE_SECONDS", 0.3)
    monkeypatch.setattr("caching.shelf.LEASE_SECONDS", 0.3)
    cache: Cache[str] = Cache("test-lease", ttl=60)

    async def work():
        await listening()
        flight = await cache.find("question")
        async with flight:
            for _ in range(20):
                await asyncio.sleep(0.1)
                assert connection().exists(flight.shelf._lock)
            await flight.keep("answer")
        assert not connection().exists(flight.shelf._lock)

    run(work())
