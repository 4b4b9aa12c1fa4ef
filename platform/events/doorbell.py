"""Doorbells: Redis messages that say "look now". Losing any of them loses nothing.

RUNNERS carries `{"claim": kind}`, `{"watch": [streams], "web": id}`, `{"stop": turn}` and
`{"note": turn}`; BELLS carries the id of a stream that has something new in the log; NOTICES what
`events.notices` has to tell open tabs. A process that shows streams has a channel of its own, on
which runners send it live events as `[stream, seq, kind, payload, is_last]`.
"""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import orjson
import redis

from observability import redis_line
from observability.doorbell import connection
from observability.redis_line import Line

log = logging.getLogger(__name__)

RUNNERS = "parley:runners"
BELLS = "parley:bells"
NOTICES = "parley:notices"

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


async def publish_all(line: Line, rings: Rings) -> None:
    """What `ring_all` does, for coroutines."""
    try:
        await line.ask_all(
            [("PUBLISH", channel, orjson.dumps(message, default=str)) for channel, message in rings]
        )
    except redis.RedisError as error:
        log.warning("%s doorbells are silent: %s", len(rings), error)


async def publish(line: Line, channel: str, message: bytes) -> None:
    """What `ring` does, for coroutines."""
    try:
        await line.ask("PUBLISH", channel, message)
    except redis.RedisError as error:
        log.warning("The doorbell %s is silent: %s", channel, error)


async def listen(*channels: str) -> AsyncIterator[tuple[str, Any]]:
    """Messages of the channels, first `("", None)` once they can be heard.

    Raises `redis.RedisError` when the connection is lost; messages sent meanwhile are gone.
    """
    async for channel, message in redis_line.listen(*channels):
        yield channel, orjson.loads(message) if channel else None
