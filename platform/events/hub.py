"""Shows streams to the clients of one process: live events from Redis, the rest from the log.

The usual path does not touch Postgres. Every two seconds the hub announces again what it watches
and compares positions with the log, so losing Redis costs two seconds, nothing else.
"""

import asyncio
import logging
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any, Self
from uuid import UUID
from weakref import WeakKeyDictionary

import orjson
import redis

from events import doorbell, log
from events.cancelling import cancel_all
from events.tail import Tail
from events.types import ASIDES, EventRow
from observability.db import run_sync
from observability.patience import run_patiently
from observability.redis_line import Line

logger = logging.getLogger(__name__)

TICK_SECONDS = 2.0
READ_ROWS = 200
READ_AGAIN_SECONDS = (0.1, 0.2, 0.5)

_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, "Hub"] = WeakKeyDictionary()


def current_hub() -> "Hub":
    """The hub of the running event loop; made, and started, at first use."""
    loop = asyncio.get_running_loop()
    hub = _hubs.get(loop)
    if hub is None:
        hub = _hubs[loop] = Hub()
    return hub


class Subscription:
    """One client's way through a stream: an async iterator that ends with the stream.

    Iterating raises CannotReplay when the log does not know the position.
    """

    def __init__(self, hub: "Hub", stream_id: UUID, tail: Tail) -> None:
        self.stream_id = stream_id
        self.tail = tail
        self.heard_at = 0.0
        self._hub = hub
        self._news = asyncio.Event()
        self._rows: list[EventRow] = []
        self._asides: dict[str, EventRow] = {}

    async def batch(self) -> list[EventRow]:
        """Everything there is, waiting for at least one event; empty when the stream is over."""
        await self.ready()
        return self.take()

    def take(self) -> list[EventRow]:
        """What can be handed out now, asides last."""
        asides, self._asides = self._asides, {}
        return [*self.tail.take(), *asides.values()]

    def hear_aside(self, aside: EventRow) -> None:
        self._asides[str(aside.payload[ASIDES[aside.kind]])] = aside

    async def ready(self) -> None:
        """Wait until there is something to take, or the stream is over. Raises CannotReplay."""
        misses = 0
        while not (self.tail.has_ready or self._asides):
            if self.tail.is_over:
                self.close()
                return
            self._news.clear()
            if not self.tail.is_behind:
                await self._news.wait()
            elif not await self._read():  # the log lags behind what was heard
                await asyncio.sleep(READ_AGAIN_SECONDS[min(misses, len(READ_AGAIN_SECONDS) - 1)])
                misses += 1

    def wake(self) -> None:
        self._news.set()

    def close(self) -> None:
        self._hub.leave(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> EventRow:
        if not self._rows:
            self._rows = (await self.batch())[::-1]
        if not self._rows:
            raise StopAsyncIteration
        return self._rows.pop()

    async def _read(self) -> bool:
        """Whether the log led any further, or there is nothing to wait for.

        Waits while Postgres is away: a reader whose socket lives must not be left without a word.
        """
        replay = await run_patiently(log.read, self.stream_id, self.tail.seq, READ_ROWS)
        went_on = self.tail.learn(replay, is_cut=replay.is_cut)
        return went_on or not self.tail.is_behind


class Hub:
    """All subscriptions of one event loop."""

    def __init__(self) -> None:
        self.web_id = uuid.uuid4().hex
        self._subscriptions: dict[str, list[Subscription]] = {}
        self.line = Line()
        self._tasks: list[asyncio.Task[None]] = []
        self._on_notice: Callable[[Any], None] | None = None
        self._loop = asyncio.get_running_loop()
        self._unannounced: list[str] = []
        self._rings: list[tuple[str, Any]] = []
        self._has_unannounced = asyncio.Event()

    def subscribe(self, stream_id: UUID, after: int = 0, *, is_new: bool = False) -> Subscription:
        """Follow a stream from the event after `after`; close what is not iterated to its end.

        `is_new` says that it was queued a moment ago: the log need not be read to know it is empty.
        """
        if not self._tasks:
            self._start()
        subscription = Subscription(self, stream_id, Tail(after, is_behind=not is_new))
        self._subscriptions.setdefault(str(stream_id), []).append(subscription)
        self._unannounced.append(str(stream_id))
        self._has_unannounced.set()
        return subscription

    def leave(self, subscription: Subscription) -> None:
        key = str(subscription.stream_id)
        following = self._subscriptions.get(key, [])
        if subscription in following:
            following.remove(subscription)
        if not following:
            self._subscriptions.pop(key, None)

    def attend(self, on_notice: Callable[[Any], None]) -> None:
        """Hand every message of `events.notices` to `on_notice` from now on."""
        if not self._tasks:
            self._start()
        self._on_notice = on_notice

    async def close(self) -> None:
        """Stop listening; for processes that end while their loop goes on, and tests."""
        doorbell.ring_by(None)
        await cancel_all(self._tasks)
        self.line.close()
        _hubs.pop(asyncio.get_running_loop(), None)

    def _start(self) -> None:
        doorbell.ring_by(self._ring)
        self._tasks = [
            asyncio.create_task(self._keep_listening()),
            asyncio.create_task(self._keep_announcing()),
            asyncio.create_task(self._keep_checking()),
        ]

    async def _keep_listening(self) -> None:
        pause = 0.1
        while True:
            try:
                async for channel, message in self._messages():
                    pause = 0.1
                    self._hear(channel, message)
            except (redis.RedisError, OSError) as error:
                logger.warning("live events are not heard: %s", error)
            except Exception:
                logger.exception("a live event was not understood")
            await asyncio.sleep(pause)
            pause = min(2.0, pause * 2)

    def _messages(self) -> AsyncIterator[tuple[str, Any]]:
        own = doorbell.web_channel(self.web_id)
        return doorbell.listen(own, doorbell.BELLS, doorbell.NOTICES)

    def _hear(self, channel: str, message: Any) -> None:
        if channel == "":  # connected, again perhaps: look what was missed
            self._look(list(self._subscriptions))
        elif channel == doorbell.BELLS:
            self._look([str(message)])
        elif channel == doorbell.NOTICES:
            if self._on_notice is not None:
                self._on_notice(message)
        else:
            self._hear_live(message)

    def _hear_live(self, message: list[list[Any]]) -> None:
        now = asyncio.get_running_loop().time()
        for key, seq, kind, payload, is_last in message:
            for subscription in self._subscriptions.get(key, ()):
                subscription.heard_at = now
                if kind in ASIDES:
                    subscription.hear_aside(EventRow(seq, kind, payload))
                elif kind:
                    subscription.tail.hear(EventRow(seq, kind, payload, is_last))
                else:
                    subscription.tail.hear_position(seq, is_closed=is_last)
                subscription.wake()

    def _look(self, keys: list[str]) -> None:
        for key in keys:
            for subscription in self._subscriptions.get(key, ()):
                subscription.tail.is_behind = True
                subscription.wake()

    def _ring(self, rings: doorbell.Rings) -> bool:
        """From any thread: these go with the next announcement."""
        if not self._loop.is_running():
            return False
        try:
            self._loop.call_soon_threadsafe(self._take_rings, rings)
        except RuntimeError:  # it has just ended
            return False
        return True

    def _take_rings(self, rings: doorbell.Rings) -> None:
        self._rings += [ring for ring in rings if ring not in self._rings]
        self._has_unannounced.set()

    async def _keep_announcing(self) -> None:
        """Tell the runners at once what is newly watched and what is due: one round trip for all
        that comes while another is on its way, and many streams in one message."""
        while True:
            await self._has_unannounced.wait()
            self._has_unannounced.clear()
            keys, self._unannounced = self._unannounced, []
            rings, self._rings = self._rings, []
            watch = [(doorbell.RUNNERS, {"watch": keys, "web": self.web_id})] if keys else []
            await doorbell.publish_all(self.line, [*watch, *rings])

    async def _keep_checking(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS / 2)
            try:
                async with asyncio.TaskGroup() as together:  # a Redis that hangs costs no time
                    together.create_task(self._announce(list(self._subscriptions)))
                    await asyncio.sleep(TICK_SECONDS / 2)
                    await self._compare_with_log()
            except Exception:
                logger.exception("streams were not compared with the log; trying again")

    async def _announce(self, keys: list[str]) -> None:
        if keys:
            message = orjson.dumps({"watch": keys, "web": self.web_id})
            await doorbell.publish(self.line, doorbell.RUNNERS, message)

    async def _compare_with_log(self) -> None:
        """Find out what became of the streams that said nothing since the last tick."""
        silent_since = asyncio.get_running_loop().time() - TICK_SECONDS
        silent = [
            subscription
            for following in self._subscriptions.values()
            for subscription in following
            if subscription.heard_at < silent_since
        ]
        if not silent:
            return
        found = await run_sync(log.positions, {item.stream_id for item in silent})
        for subscription in silent:
            if subscription.stream_id in found:
                seq, is_closed = found[subscription.stream_id]
                subscription.tail.hear_position(seq, is_closed=is_closed)
            else:
                subscription.tail.is_behind = True  # gone: reading it will say so
            subscription.wake()
