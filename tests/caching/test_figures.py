"""What a cache tells of itself, and many entries at once."""

import asyncio

from caching.batch import Batch
from caching.cache import Cache
from caching.figures import read_figures
from caching.flushing import flush
from observability.metrics import render
from tests.caching.conftest import counted, listening, raw, run


def figures_of(name):
    return next(figures for figures in read_figures() if figures.name == name)


def test_every_way_of_being_answered_is_counted_over_all_processes():
    ask, _ = counted("test-counts", size=2)

    async def work():
        await listening()
        await ask(1)  # miss
        for _ in range(3):
            await ask(1)  # near
        await asyncio.gather(*(ask(2) for _ in range(5)))  # a miss, and 4 near
        await ask(3)  # a miss, and one must go

    run(work())
    run(ask(3))  # hit
    found = figures_of("test-counts")
    assert (found.near, found.hit, found.miss, found.evicted) == (7, 1, 3, 1)
    assert (found.entries, found.hit_rate) == (2, 8 / 11)
    assert found.bytes == int(raw().get("parley:cache:{test-counts:0}:size"))
    text = render().decode()
    assert 'parley_cache_requests_total{cache="test-counts",outcome="near"} 7.0' in text
    assert 'parley_cache_entries{cache="test-counts"} 2.0' in text
    assert f'parley_cache_bytes{{cache="test-counts"}} {float(found.bytes)}' in text


def test_nobody_asked_is_no_rate_and_away_is_nothing(settings):
    counted("test-unasked")
    assert figures_of("test-unasked").hit_rate is None
    settings.PARLEY_CACHE_URLS = ["unix:///nowhere/redis.sock"]
    assert read_figures() == []


def test_a_batch_finds_what_is_there_and_keeps_the_rest():
    cache: Cache[int] = Cache("test-batch", ttl=60)

    async def work():
        first = await Batch.recall(cache, ["a", "b"])
        assert first.found == {}
        await first.keep({"a": 1, "b": 2})
        second = await Batch.recall(cache, ["a", "b", "c"])
        assert second.found == {"a": 1, "b": 2}
        await asyncio.to_thread(flush, "test-batch")
        await second.keep({"c": 3})  # begun before the flush
        assert (await Batch.recall(cache, ["a", "b", "c"])).found == {}

    run(work())
    found = figures_of("test-batch")
    assert (found.hit, found.miss, found.entries) == (2, 6, 0)


def test_a_batch_without_redis(settings):
    settings.PARLEY_CACHE_URLS = ["unix:///nowhere/redis.sock"]
    cache: Cache[int] = Cache("test-alone", ttl=60)

    async def work():
        batch = await Batch.recall(cache, ["a"])
        await batch.keep({"a": 1})
        return batch.found

    assert run(work()) == {}
