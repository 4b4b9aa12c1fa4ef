"""The way to the Redis servers of the caches: one, or several that share the keys as a cluster.

In a cluster each key belongs to one of 16,384 slots and each slot to a server, so a server that is
added or taken away moves its own share only; the client library finds and follows them. Every
method says by None that Redis is away, or does not do what is asked: that is a miss.
"""

import asyncio
import time
from collections.abc import Sequence
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import redis
import redis.asyncio
import redis.asyncio.cluster
import redis.cluster
import structlog
from django.conf import settings
from redis.exceptions import ClusterError, NoScriptError, RedisClusterException, ResponseError

from caching.scripts import Script

PATIENCE_SECONDS = 0.5
AWAY_SECONDS = 2.0  # how long nobody asks a Redis that did not answer
SHELVES = 16  # of a cache in a cluster: what lies on one shelf lies on one server
AWAY = (redis.RedisError, RedisClusterException, OSError, TimeoutError)

log = structlog.get_logger(__name__)


def shelves() -> int:
    return SHELVES if len(_urls()) > 1 else 1


class Servers:
    """The client of one event loop."""

    def __init__(self) -> None:
        self._client = connect(PATIENCE_SECONDS)
        self._away_until = 0.0

    async def run(self, script: Script, keys: Sequence[bytes], args: Sequence[Any]) -> Any:
        """What the script answers; all its keys are of one shelf."""
        if time.monotonic() < self._away_until:
            return None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                try:
                    return await self._client.evalsha(script.sha, len(keys), *keys, *args)
                except NoScriptError:
                    return await self._client.eval(script.text, len(keys), *keys, *args)
        except AWAY as error:
            if _is_away(error):
                self._away_until = time.monotonic() + AWAY_SECONDS
            log.warning("cache_is_away", reason=str(error) or type(error).__name__)
            return None

    async def close(self) -> None:
        try:
            await self._client.aclose()
        except AWAY:
            log.info("redis_left_in_disorder")


def connect(patience: float | None) -> Any:
    """A client of the running loop; `patience` None waits for ever, as who listens must."""
    urls = _urls()
    options: Any = {"socket_timeout": patience, "socket_connect_timeout": PATIENCE_SECONDS}
    if len(urls) == 1:
        return redis.asyncio.Redis.from_url(urls[0], **options)
    nodes = [redis.asyncio.cluster.ClusterNode(*_place(url)) for url in urls]
    return redis.asyncio.RedisCluster.from_url(urls[0], startup_nodes=nodes, **options)


@cache
def sync_client() -> Any:
    """For code in threads; its callers know that it raises one of AWAY."""
    urls = _urls()
    patience = PATIENCE_SECONDS
    options: Any = {"socket_timeout": patience, "socket_connect_timeout": patience}
    if len(urls) == 1:
        return redis.Redis.from_url(urls[0], **options)
    node: Any = redis.cluster.ClusterNode
    nodes = [node(*_place(url)) for url in urls]
    return redis.cluster.RedisCluster.from_url(urls[0], startup_nodes=nodes, **options)


def _urls() -> list[str]:
    return settings.PARLEY_CACHE_URLS or [settings.REDIS_URL]


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "localhost", parts.port or 6379


def _is_away(error: BaseException) -> bool:
    """Not when it answers but refuses, as when it is full."""
    return not isinstance(error, ResponseError) or isinstance(error, ClusterError)
