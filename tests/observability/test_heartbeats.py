"""Signs of life in a real Redis."""

import os

import pytest
import redis

from observability import heartbeats
from observability.doorbell import connection


@pytest.fixture
def full_redis():
    """Call it, and Redis takes no more; at the end it does again."""
    client = connection()
    limit = client.config_get("maxmemory")["maxmemory"]
    yield lambda: client.config_set("maxmemory", "1")
    client.config_set("maxmemory", limit)
    heartbeats.forget("tested")


def test_f07_who_was_alive_stays_alive_when_redis_is_full(full_redis):
    """Else /ready would take the web away while every turn completes."""
    heartbeats.beat("tested")
    key = next(connection().scan_iter(match=f"{heartbeats.PREFIX}:tested:*"))
    connection().expire(key, 5)
    full_redis()
    heartbeats.beat("tested")
    assert connection().ttl(key) > 5
    assert [found.pid for found in heartbeats.seen("tested")] == [os.getpid()]


def test_f07_who_comes_when_redis_is_full_is_not_seen(full_redis):
    full_redis()
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        heartbeats.beat("tested")
    assert heartbeats.seen("tested") == []
