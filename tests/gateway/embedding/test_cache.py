"""`gateway.embedding.cache`: by content and by what else determines a vector."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from caching import servers
from caching.flushing import flush
from gateway.embedding.cache import recalled, revision_of
from gateway.types import Route

ROUTES = [Route("m", "up", "E", "http://e/v1")]
ONE = revision_of("m", 3, ROUTES)


@pytest.fixture(autouse=True)
def _empty(monkeypatch):
    monkeypatch.setattr(servers, "PATIENCE_SECONDS", 20)  # a busy machine is not a Redis away
    flush("vectors")


def recall(vectors, revision=ONE):
    """What there is of these texts, and which of them had to be asked for."""
    asked = []

    async def ask(texts):
        asked.extend(texts)
        return [np.array(vectors[text], np.float32) for text in texts]

    found = asyncio.run(recalled(revision, list(vectors), ask))
    return {text: vector.tolist() for text, vector in found.items()}, asked


def test_a_vector_comes_back_bit_by_bit_and_only_for_its_text():
    vector = np.array([0.1, -0.7, 1e-7], np.float32).tolist()
    some = {"年假": vector, "\ud800 torn": vector}
    assert recall(some) == (some, ["年假", "\ud800 torn"])
    assert recall({**some, "年假 ": [1, 0, 0]}) == ({**some, "年假 ": [1, 0, 0]}, ["年假 "])
    assert recall({text: [1, 1, 1] for text in some}) == (some, [])


def test_never_across_models_servers_names_at_the_endpoint_or_their_options():
    recall({"text": [1, 0, 0]})
    others = [
        revision_of("other", 3, ROUTES),
        revision_of("m", 4, ROUTES),
        revision_of("m", 3, [Route("m", "newer", "E", "http://e/v1")]),
        revision_of("m", 3, [Route("m", "up", "E", "http://f/v1")]),
        revision_of("m", 3, [replace(ROUTES[0], extra_body={"dimensions": 3})]),
    ]
    for n, other in enumerate(others):
        assert recall({"text": [0, n, 0]}, other) == ({"text": [0, n, 0]}, ["text"])
    twice = [*ROUTES, Route("m", "up", "F", "http://e/v1")]  # the same server with another key
    assert recall({"text": [2, 2, 2]}, revision_of("m", 3, twice)) == ({"text": [1, 0, 0]}, [])


def test_redis_away_is_a_miss(settings):
    settings.PARLEY_CACHE_URLS = ["unix:///nowhere/redis.sock"]
    assert recall({"text": [1, 0, 0]}) == ({"text": [1, 0, 0]}, ["text"])
