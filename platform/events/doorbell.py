"""Doorbells: Redis messages that say "look now". Losing any of them loses nothing.

RUNNERS carries `{"claim": kind}`, `{"watch": [streams], "web": id}`, `{"stop": turn}` and
`{"note": turn}`; BELLS carries the id of a stream that has something new in the log; NOTICES what
`events.notices` has to tell open tabs. A process that shows streams has a channel of its own, on
which runners send it live events as `[stream, seq, kind, payload, is_last]`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import orjson
import redis
import redis.asyncio
from django.conf import settings

from observability.doorbell import connection

log = logging.getLogger(__name__)

RUNNERS = "parley:runners"
BELLS = "parley:bells"
NOTICES = "parley:notices"
PATIENCE_SECONDS = 2

Rings = Sequence[tuple[str, Any]]
_ringers: list[Callable[[Rings], bool]] = []  # of this process: one, or none


def web_channel(web_id: str) -> str:
    return f"parley:web:{web_id}"


def ring(channel: str, message: Any) -> None:
    """Publish, or log why not: whoever waits looks at the record within two seconds anyway."""
    ring_all((channel, message))


def ring_all(*rings: tuple[str, Any]) -> None:
    """What `ring` does, for several (channel, message) in one round trip.

    In a process that shows streams its hub takes them along (`ring_by`): nobody waits for Redis.
    """
    for ringer in _ringers:
        if ringer(rings):
            return
    pipeline = connection().pipeline(transaction=False)
    for channel, message in rings:
        pipeline.publish(channel, orjson.dumps(message, default=str))
    try:
        pipeline.execute()
    except redis.RedisError as error:
        channels = ", ".join(channel for channel, _message in rings)
        log.warning("The doorbells %s are silent: %s", channels, error)


def ring_by(ringer: Callable[[Rings], bool] | None) -> None:
    """`ringer` rings from now on what is rung in this process, from any thread; False when it
    cannot. None: nobody does."""
    _ringers[:] = [] if ringer is None else [ringer]


async def publish_all(client: redis.asyncio.Redis, rings: Rings) -> None:
    """What `ring_all` does, for coroutines."""
    pipeline = client.pipeline(transaction=False)
    for channel, message in rings:
        pipeline.publish(channel, orjson.dumps(message, default=str))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await pipeline.execute()
    except (redis.RedisError, OSError, TimeoutError) as error:
        log.warning("%s doorbells are silent: %s", len(rings), error)


def connect() -> redis.asyncio.Redis:
    """A client that belongs to the running event loop, for publishing and listening."""
    return redis.asyncio.Redis.from_url(
        settings.REDIS_URL, socket_connect_timeout=PATIENCE_SECONDS, max_connections=16
    )


async def publish(client: redis.asyncio.Redis, channel: str, message: bytes) -> None:
    """What `ring` does, for coroutines."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await client.publish(channel, message)
    except (redis.RedisError, OSError, TimeoutError) as error:
        log.warning("The doorbell %s is silent: %s", channel, error)


async def listen(client: redis.asyncio.Redis, *channels: str) -> AsyncIterator[tuple[str, Any]]:
    """Messages of the channels, first `("", None)` once they can be heard.

    Raises `redis.RedisError` when the connection is lost; messages sent meanwhile are gone.
    """
    async with client.pubsub(ignore_subscribe_messages=False) as pubsub:
        await pubsub.subscribe(*channels)
        waiting = len(channels)
        async for message in pubsub.listen():
            if message["type"] == "subscribe":
                waiting -= 1
                if waiting == 0:
                    yield "", None
            elif message["type"] == "message":
                yield message["channel"].decode(), orjson.loads(message["data"])
