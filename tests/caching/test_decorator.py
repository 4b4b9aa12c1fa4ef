"""`@cached`: what a function answered is used again, by everybody, until it is over."""

import asyncio
from datetime import date
from uuid import UUID

import pytest

from caching.cache import caches
from caching.decorator import cached, canonical
from caching.flushing import flush
from caching.place import current_place
from tests.caching.conftest import counted, listening, raw, run, until


def test_asked_once_however_the_arguments_are_passed():
    ask, calls = counted("test-once")
    assert [run(ask(1)), run(ask(1, times=1)), run(ask(x=1)), run(ask(2))] == [[1], [1], [1], [2]]
    assert calls == [1, 2]
    assert ask.__name__ == "ask"


def test_what_a_key_tells_apart():
    some = [
        None, False, 0, 0.5, "", b"", "0", "None", date(2026, 1, 1), "2026-01-01", UUID(int=1),
        str(UUID(int=1)), [], {}, set(), [1, 2], [2, 1], [[1], 2], {"a": 1}, {"a": "1"}, {1, 2},
        "\ud800",
    ]  # fmt: skip
    ask, calls = counted("test-keys", lambda _x: len(calls))

    async def work():
        assert [await ask(x) for x in some] == list(range(1, len(some) + 1))
        assert [await ask(x) for x in some] == list(range(1, len(some) + 1))

    run(work())
    assert canonical({"a": 1, "b": 2}) == canonical({"b": 2, "a": 1})
    assert canonical((1, 2)) == canonical([1, 2])
    with pytest.raises(TypeError, match="object cannot be part"):
        canonical(object())


def test_a_miss_answers_like_a_hit_and_everybody_gets_their_own():
    ask, _ = counted("test-own", lambda _x: {"tuple": (1, 2), "bytes": b"\xff", 3: None})

    async def work():
        first, second = await asyncio.gather(ask(1), ask(1))
        await listening()
        first["tuple"].append("mine")
        return [second, await ask(1), await ask(1)]

    assert run(work()) == [{"tuple": [1, 2], "bytes": b"\xff", 3: None}] * 3


def test_none_is_an_answer():
    ask, calls = counted("test-none", lambda _x: None)
    assert (run(ask(1)), run(ask(1)), calls) == (None, None, [1])


def test_another_version_shares_nothing_and_another_shape_is_made_anew():
    def answering(value, **options):
        caches.pop("test-version", None)
        return counted("test-version", lambda _x: value, **options)[0]

    assert run(answering("old")(1)) == "old"
    assert run(answering("new")(1)) == "old"
    assert run(answering("new", version=2)(1)) == "new"
    assert run(answering({"a": 1}, version=2, unpack=lambda value: value["a"])(1)) == 1


def test_a_name_is_used_once():
    counted("test-twice")
    with pytest.raises(ValueError, match="already"):
        counted("test-twice")


def test_what_cannot_be_packed_is_a_mistake_and_holds_nobody_up():
    ask, calls = counted("test-unpackable", lambda _x: object())

    async def work():
        return await asyncio.gather(ask(1), ask(1), return_exceptions=True)

    assert [type(error) for error in run(work())] == [TypeError, TypeError]
    with pytest.raises(TypeError):
        run(ask(1))
    assert calls == [1, 1]


def test_flushed_it_is_asked_again_by_scope_or_all():
    ask, calls = counted("test-flush", scope=lambda x: ("all of them", f"person:{x}"))

    async def work():
        await listening()
        for x in (1, 2, 1, 2):
            await ask(x)
        assert await asyncio.to_thread(flush, "test-flush", "person:1")
        for x in (1, 2):
            await ask(x)
        assert calls == [1, 2, 1]
        assert await asyncio.to_thread(flush, "test-flush", "all of them")
        await ask(2)
        assert await asyncio.to_thread(ask.flush)
        await ask(2)
        assert calls == [1, 2, 1, 2, 2]

    run(work())


def test_another_process_hears_of_a_flush():
    """What it holds near is void although its time is not over."""
    ask, calls = counted("test-heard", near=600, ttl=600)

    async def work():
        await listening()
        await ask(1)
        redis = raw()
        field = ask.cache.field_of(ask.key_of(1))
        redis.delete("parley:cache:{test-heard:0}:values")
        assert await ask(1) == [1]  # near
        assert calls == [1]
        redis.publish("parley:cache:flushed", b"\x92\xaatest-heard\xa0")
        await until(lambda: current_place().near.get("test-heard", field) is None)
        await ask(1)
        assert calls == [1, 1]

    run(work())


def test_what_was_begun_before_a_flush_is_not_used_after_it():
    """The answer of those who had asked, and of nobody else: the race that caches lose."""
    state, go = ["old"], asyncio.Event()

    @cached(name="test-race", ttl=60)
    async def read():
        seen = state[0]
        if seen == "old":
            await go.wait()
        return seen

    async def work():
        await listening()
        before = asyncio.create_task(read())
        await asyncio.sleep(0.05)
        state[0] = "new"
        await asyncio.to_thread(flush, "test-race")
        after = asyncio.create_task(read())
        await asyncio.sleep(0.05)
        go.set()
        assert (await before, await after, await read()) == ("old", "new", "new")

    run(work())
    assert run(read()) == "new"


def test_over_it_is_asked_again():
    ask, calls = counted("test-over", ttl=0.2)

    async def work():
        async with asyncio.timeout(60):
            while len(calls) < 2:
                await ask(1)
                await asyncio.sleep(0.02)

    run(work())


def test_what_was_made_together_does_not_end_together():
    ask, _ = counted("test-spread", ttl=1000)

    async def work():
        await asyncio.gather(*(ask(x) for x in range(50)))

    run(work())
    ends = [int(value[16:32]) / 1e6 for value in raw().hvals("parley:cache:{test-spread:0}:values")]
    assert 20 < max(ends) - min(ends) < 110
