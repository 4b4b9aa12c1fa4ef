"""`gateway.embedding.cache`: by content and model, bounded, and never in the way."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from gateway.embedding import cache
from gateway.routing.shared import Shared
from gateway.types import Route
from observability.doorbell import connection

ONE = cache.revision_of("m", 3, [Route("m", "up", "E", "http://e/v1")])


@pytest.fixture(autouse=True)
def _empty():
    connection().delete(*cache.KEYS)


def run(question):
    async def ask():
        shared = Shared()
        try:
            return await question(shared)
        finally:
            await shared.close()

    return asyncio.run(ask())


def remember(vectors, revision=ONE):
    rows = {text: np.array(vector, np.float32) for text, vector in vectors.items()}
    run(lambda shared: cache.remember(shared, revision, rows))


def recall(*texts, revision=ONE):
    found = run(lambda shared: cache.recall(shared, revision, texts))
    return {text: vector.tolist() for text, vector in found.items()}


def size():
    return int(connection().get(cache.KEYS[2]) or 0)


def test_a_vector_comes_back_bit_by_bit_and_only_for_its_text():
    vector = np.array([0.1, -0.7, 1e-7], np.float32)
    remember({"年假": vector, "\ud800 torn": vector})
    assert recall("年假", "年假 ", "\ud800 torn") == {
        "年假": vector.tolist(),
        "\ud800 torn": vector.tolist(),
    }


def test_never_across_models_servers_names_at_the_endpoint_or_their_options():
    remember({"text": [1, 0, 0]})
    routes = [Route("m", "up", "E", "http://e/v1")]
    others = [
        cache.revision_of("other", 3, routes),
        cache.revision_of("m", 4, routes),
        cache.revision_of("m", 3, [Route("m", "newer", "E", "http://e/v1")]),
        cache.revision_of("m", 3, [Route("m", "up", "E", "http://f/v1")]),
        cache.revision_of("m", 3, [replace(routes[0], extra_body={"dimensions": 3})]),
    ]
    assert [recall("text", revision=other) for other in others] == [{}] * 5
    twice = [*routes, Route("m", "up", "F", "http://e/v1")]  # the same server with another key
    assert recall("text", revision=cache.revision_of("m", 3, twice)) == {"text": [1, 0, 0]}


def test_the_least_used_goes_when_it_is_full(monkeypatch):
    monkeypatch.setattr(cache, "MOST_BYTES", 3 * (cache.ENTRY_BYTES + 4 + 12))
    now = [1_000_000]
    monkeypatch.setattr(cache.time, "time", lambda: now[0])
    for name in "abc":
        remember({name: [1, 2, 3]})
        now[0] += 1
    assert set(recall("a")) == {"a"}
    now[0] += 1
    remember({"d": [1, 2, 3]})
    assert set(recall("a", "b", "c", "d")) == {"a", "c", "d"}
    assert size() == 3 * (cache.ENTRY_BYTES + 4 + 12)
    remember({"d": [4, 5, 6]})  # written twice, counted once
    assert size() == 3 * (cache.ENTRY_BYTES + 4 + 12)


def test_after_a_day_it_is_asked_again_and_what_nobody_uses_goes(monkeypatch):
    now = [1_000_000]
    monkeypatch.setattr(cache.time, "time", lambda: now[0])
    remember({"old": [1, 2, 3]})
    now[0] += cache.KEPT_SECONDS + 1
    assert recall("old") == {}
    now[0] += cache.KEPT_SECONDS + 1
    remember({"new": [1, 2, 3]})
    assert connection().hlen(cache.KEYS[0]) == 1
    assert 0 < connection().ttl(cache.KEYS[0]) <= cache.KEPT_SECONDS


def test_redis_away_is_a_miss():
    async def ask():
        shared = Shared("unix:///nowhere/redis.sock")
        await cache.remember(shared, ONE, {"text": np.zeros(3, np.float32)})
        return await cache.recall(shared, ONE, ["text"])

    assert asyncio.run(ask()) == {}
