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
        self._is_cluster = len(_urls()) > 1
        self._away_until: dict[bytes, float] = {}  # in a cluster by shelf: others may be there

    async def run(self, script: Script, keys: Sequence[bytes], args: Sequence[Any]) -> Any:
        """What the script answers; all its keys are of one shelf."""
        place = keys[0] if self._is_cluster else b""
        if time.monotonic() < self._away_until.get(place, 0.0):
            return None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                try:
                    return await self._client.evalsha(script.sha, len(keys), *keys, *args)
                except NoScriptError:
                    return await self._client.eval(script.text, len(keys), *keys, *args)
        except AWAY as error:
            if is_leaving():  # the library swallows a cancellation at times
                raise asyncio.CancelledError from error
            if _is_away(error):
                self._away_until[place] = time.monotonic() + AWAY_SECONDS
            log.warning("cache_is_away", reason=str(error) or type(error).__name__)
        except Exception:  # the cluster's client, when connections are closed under its feet
            log.exception("cache_failed")
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
    # Telling an old server who we are loses connections that a cluster's client makes at once.
    options["driver_info"] = None
    if len(urls) == 1:
        return redis.asyncio.Redis.from_url(urls[0], **options)
    nodes = [redis.asyncio.cluster.ClusterNode(*_place(url)) for url in urls]
    return redis.asyncio.RedisCluster.from_url(urls[0], startup_nodes=nodes, **options)


async def ears_of(client: Any) -> Any:
    """What hears all channels: messages reach every server of a cluster, so one of them will do."""
    await client.initialize()
    if isinstance(client, redis.asyncio.RedisCluster):
        return client.pubsub(node=client.get_random_primary_node())
    return client.pubsub()


def sync_client() -> Any:
    """For code in threads, one for each address; its callers know that it raises one of AWAY."""
    return _sync_client(tuple(_urls()))


@cache
def _sync_client(urls: tuple[str, ...]) -> Any:
    patience = PATIENCE_SECONDS
    options: Any = {"socket_timeout": patience, "socket_connect_timeout": patience}
    if len(urls) == 1:
        return redis.Redis.from_url(urls[0], **options)
    node: Any = redis.cluster.ClusterNode
    nodes = [node(*_place(url)) for url in urls]
    return redis.cluster.RedisCluster.from_url(urls[0], startup_nodes=nodes, **options)


def is_leaving() -> bool:
    """Whether the running task is being cancelled."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _urls() -> list[str]:
    return settings.PARLEY_CACHE_URLS or [settings.REDIS_URL]


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "localhost", parts.port or 6379


def _is_away(error: BaseException) -> bool:
    """Not when it answers but refuses, as when it is full."""
    return not isinstance(error, ResponseError) or isinstance(error, ClusterError)
