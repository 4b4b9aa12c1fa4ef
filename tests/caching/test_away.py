"""A Redis that is away, hangs, comes back empty or is full: a miss, never an error."""

import asyncio
import os
import signal
import time

import pytest

from caching import servers
from caching.place import current_place
from tests.caching.conftest import OwnRedis, counted, listening, run, until


@pytest.fixture
def own(tmp_path, settings, monkeypatch):
    redis = OwnRedis(tmp_path / "redis")
    settings.PARLEY_CACHE_URLS = [redis.url]
    monkeypatch.setattr(servers, "AWAY_SECONDS", 0.05)
    yield redis
    redis.end()


def test_down_from_the_beginning(settings):
    settings.PARLEY_CACHE_URLS = ["unix:///nowhere/redis.sock"]
    ask, calls = counted("test-down")

    async def work():
        answers = await asyncio.gather(*(ask(1) for _ in range(50)))
        return answers, await ask(1)

    assert run(work()) == ([[1]] * 50, [1])
    assert calls == [1, 1]
    assert ask.flush() is False


def test_threads_ask_where_the_settings_say_now(settings):
    ask, _ = counted("test-moved")
    settings.PARLEY_CACHE_URLS = ["unix:///nowhere/redis.sock"]
    assert ask.flush() is False
    settings.PARLEY_CACHE_URLS = []
    assert ask.flush() is True


def test_killed_and_started_again(own):
    ask, calls = counted("test-again")

    async def work():
        await listening()
        await ask(1)
        assert await ask(1) == [1]
        assert calls == [1]
        own.kill()
        await until(lambda: not current_place().is_listening)
        assert await ask(1) == [1]  # what is near is not used while no flush is heard
        assert calls == [1, 1]
        own.start()
        await listening()
        async with asyncio.timeout(60):
            while own.client.exists("parley:cache:{test-again:0}:values") == 0:
                assert await ask(1) == [1]
                await asyncio.sleep(0.02)
        known = len(calls)
        assert await ask(1) == [1]
        assert len(calls) == known

    run(work())


def test_killed_while_something_is_made(own):
    go, calls = asyncio.Event(), []
    ask, _ = counted("test-meanwhile")

    async def slow():
        calls.append(1)
        await go.wait()
        return "answer"

    async def work():
        fetch = ask.cache.fetch
        asked = [asyncio.create_task(fetch("key", slow)) for _ in range(20)]
        await until(lambda: calls == [1])
        own.kill()
        go.set()
        assert await asyncio.gather(*asked) == ["answer"] * 20
        assert calls == [1]

    run(work())


def test_frozen_it_is_waited_for_once_and_not_again(own, monkeypatch):
    monkeypatch.setattr(servers, "AWAY_SECONDS", 600)
    ask, calls = counted("test-frozen", near=0)

    async def work():
        await ask(0)
        monkeypatch.setattr(servers, "PATIENCE_SECONDS", 0.2)
        os.kill(own.process.pid, signal.SIGSTOP)
        began = time.monotonic()
        for x in range(200):
            assert await ask(x) == [x]
        assert time.monotonic() - began < 20  # 200 times would be 40 s
        assert len(calls) == 201

    try:
        run(work())
    finally:
        os.kill(own.process.pid, signal.SIGCONT)


def test_full_it_answers_what_it_has_or_nothing(own):
    ask, calls = counted("test-full", lambda _x: os.urandom(1000), near=0)

    async def work():
        await ask(1)
        own.client.config_set("maxmemory", 1)
        for x in (1, 2, 2):
            assert len(await ask(x)) == 1000
        own.client.config_set("maxmemory", 0)
        await ask(3)
        known = len(calls)
        await ask(3)
        assert len(calls) == known

    run(work())
