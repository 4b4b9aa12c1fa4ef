"""What one event loop has of all caches: its client, its near layer, what it makes, its ears."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Coroutine
from itertools import count
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import structlog

from caching import codec, flushes
from caching.near import Near
from caching.scripts import FLUSHED, MADE
from caching.servers import AWAY, Servers, connect, ears_of, is_leaving

if TYPE_CHECKING:
    from caching.flight import Flight

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # seconds, between attempts to listen

log = structlog.get_logger(__name__)


class Place:
    """Made at the first use of a cache in a loop. Hearing nothing costs time, never truth."""

    def __init__(self) -> None:
        self.servers = Servers()
        self.near = Near()
        self.near_hits: Counter[str] = Counter()  # that Redis has not been told of
        self.flights: dict[bytes, Flight[Any]] = {}
        self._process = f"{random.getrandbits(64):016x}"
        self._numbers = count(1)
        self._tasks: set[asyncio.Task[Any]] = set()
        self.spawn(self._keep_listening(), "cache-ears")

    @property
    def is_listening(self) -> bool:
        return self.near.heard_since <= time.monotonic()

    def token(self) -> str:
        return f"{self._process}:{next(self._numbers)}"

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> "asyncio.Task[Any]":
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        pending = set(self._tasks)
        while pending:  # a library that swallows a cancellation gets another
            for task in pending:
                task.cancel()
            _, pending = await asyncio.wait(pending, timeout=0.5)

    async def _keep_listening(self) -> None:
        pause = FIRST_PAUSE
        client = connect(patience=None)
        try:
            while not is_leaving():
                try:
                    await self._listen(client)
                except AWAY as error:
                    if self.is_listening or pause == FIRST_PAUSE:
                        log.warning("flushes_are_not_heard", reason=str(error))
                except Exception:
                    log.exception("flushes_are_not_heard")
                pause = FIRST_PAUSE if self.is_listening else min(LONGEST_PAUSE, pause * 2)
                self.near.heard_since = float("inf")
                await asyncio.sleep(pause)
        finally:  # also when the loop ends: then its tasks are cancelled
            self.near.heard_since = float("inf")
            _places.pop(asyncio.get_running_loop(), None)
            await client.aclose()
            await self.servers.close()

    async def _listen(self, client: Any) -> None:
        async with await ears_of(client) as ears:
            await ears.subscribe(MADE, FLUSHED)
            unheard = {MADE, FLUSHED}
            async for message in ears.listen():
                channel, data = message["channel"].decode(), message["data"]
                if message["type"] == "subscribe":
                    unheard.discard(channel)
                    if not unheard:
                        self.near.heard_since = time.monotonic()
                elif message["type"] == "message":
                    self._hear(channel, data)

    def _hear(self, channel: str, data: bytes) -> None:
        try:
            if channel == FLUSHED:
                cache, scope = codec.unpack(data)
                flushes.note(str(cache), str(scope))
            elif (flight := self.flights.get(bytes.fromhex(data[-32:].decode()))) is not None:
                flight.bell.set()
        except (ValueError, TypeError):
            log.warning("cache_bell_not_understood")


_places: WeakKeyDictionary[asyncio.AbstractEventLoop, Place] = WeakKeyDictionary()


def current_place() -> Place:
    """The place of the running loop; made at first use."""
    loop = asyncio.get_running_loop()
    place = _places.get(loop)
    if place is None:
        place = _places[loop] = Place()
    return place


async def close_caches() -> None:
    """Let go of what the running loop holds; a later use makes it anew."""
    place = _places.get(asyncio.get_running_loop())
    if place is not None:
        await place.close()
