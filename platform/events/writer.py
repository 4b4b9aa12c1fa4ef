"""Writes the events of all turns of a runner: rung live once a tick, stored in batches.

A claim's fence makes its writer the only one, so sequence numbers are given in memory. Neighbouring
deltas of a stream become one event a tick. The tick is what a reader still sees as one flow, and
grows with the number of live streams. The first words of an answer do not wait for it, nor does
a stream that was silent for a while: what it says was gathered before, where it was read.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import cache
from itertools import islice
from uuid import UUID

import orjson
import psycopg
from django import db

from events.cancelling import cancel_all
from events.doorbell import web_channel
from events.log import Batch, append_batches, append_batches_at_once
from events.stream_writer import StreamWriter
from events.types import Claim, EventRow
from observability.lanes import Lane

log = logging.getLogger(__name__)

TICK_SECONDS = 0.040
TICK_PER_STREAM = 0.0016
LONGEST_TICK = 0.2
MOST_A_TICK = 16  # streams: of more, a share each time, so that who begins does not wait for all
STORE_SECONDS = 0.1
STORE_BYTES = 2048
WATCH_SECONDS = 10.0  # a web process announces every two seconds what it watches
RETRY_SECONDS = 0.5
RING_SECONDS = 0.0005  # what is said within it goes out together, first words too

Store = Callable[[Sequence[Batch]], Awaitable[set[UUID]]]
Publish = Callable[[str, bytes], Awaitable[None]]


@cache
def _lane() -> Lane:
    return Lane("log", 1)


async def store_in_log(batches: Sequence[Batch]) -> set[UUID]:
    """Where that does not do, in a thread that does nothing else: searches never keep words from
    the log."""
    try:
        return await append_batches_at_once(batches)
    except psycopg.Error:
        return await _lane().run(append_batches, batches)


class EventWriter:
    """`publish` rings a channel and never fails; `store` writes batches, naming streams still held.

    Postgres being away is waited out with everything kept.
    """

    def __init__(self, publish: Publish, store: Store = store_in_log) -> None:
        self._publish = publish
        self._store = store
        self._streams: dict[str, StreamWriter] = {}
        self._watchers: dict[str, dict[str, float]] = {}
        self._closed: dict[str, tuple[int, float]] = {}  # the last seq, and until when to know it
        self._dirty: dict[str, StreamWriter] = {}
        self._unstored: dict[str, StreamWriter] = {}
        self._outbox: dict[str, list[tuple[object, ...]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._ticked = 0.0
        self._ahead = 0  # streams that may speak before the tick, until …
        self._ahead_until = 0.0
        self._has_outbox = asyncio.Event()
        self._has_unstored = asyncio.Event()
        self._is_urgent = asyncio.Event()

    def open(self, claim: Claim, on_lost: Callable[[], None]) -> StreamWriter:
        """The one writer of a claimed stream; `on_lost` is called once if the fence is outdated."""
        stream = StreamWriter(claim, self, on_lost)
        self._streams[stream.key] = stream
        return stream

    def close(self, stream: StreamWriter, rows: Iterable[EventRow] = ()) -> None:
        """Forget the stream; `rows` were stored elsewhere and are only rung.

        Its end is remembered for a while, for those who come to watch a moment too late.
        """
        for row in rows:
            self._tell(stream.key, row)
            self._closed[stream.key] = (row.seq, time.monotonic() + WATCH_SECONDS)
        stream.is_lost = True
        self._streams.pop(stream.key, None)
        self._dirty.pop(stream.key, None)
        self._unstored.pop(stream.key, None)
        self._watchers.pop(stream.key, None)

    def watch(self, web_id: str, keys: Iterable[str]) -> None:
        """A web process shows these streams; a new watcher is sent what the log does not have."""
        until = time.monotonic() + WATCH_SECONDS
        for key in keys:
            watchers = self._watchers.setdefault(key, {})
            is_new = web_id not in watchers
            watchers[web_id] = until
            rows = [*(self._news_of(key) if is_new else ()), *self._asides_of(key)]
            if not rows:
                continue
            self._outbox.setdefault(web_id, []).extend((key, *row) for row in rows)
            self._has_outbox.set()

    def _news_of(self, key: str) -> list[EventRow]:
        """What a new watcher cannot know: events not stored yet, or else how far the stream is."""
        if stream := self._streams.get(key):
            return stream.unstored or [EventRow(stream.seq, "", {})]
        if key in self._closed:
            return [EventRow(self._closed[key][0], "", {}, is_last=True)]
        return []

    def _asides_of(self, key: str) -> list[EventRow]:
        """Again with every announcement: a tab that was loaded anew has not heard them."""
        stream = self._streams.get(key)
        return list(stream.asides.values()) if stream else []

    def forget_watchers(self) -> None:
        """Drop those who have not announced themselves for a while."""
        now = time.monotonic()
        self._closed = {key: known for key, known in self._closed.items() if known[1] > now}
        for key, watchers in list(self._watchers.items()):
            live = {web: until for web, until in watchers.items() if until > now}
            if live:
                self._watchers[key] = live
            else:
                del self._watchers[key]

    async def run(self) -> None:
        """Ring and store until cancelled."""
        tasks = [
            asyncio.create_task(self._keep_ringing()),
            asyncio.create_task(self._keep_storing()),
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            await cancel_all(tasks)

    # -- called by StreamWriter ---------------------------------------------------------------

    def mark(self, stream: StreamWriter, *, at_once: bool) -> None:
        """The stream has something to say, now or with the next tick."""
        loop = asyncio.get_running_loop()
        if at_once or self._may_go_ahead(stream, loop.time()):
            loop.call_soon(self._collect, stream)
            return
        self._dirty[stream.key] = stream
        if self._timer is None:
            self._timer = loop.call_at(max(loop.time(), self._ticked + self._pause()), self._tick)

    def mention(self, stream: StreamWriter, aside: EventRow) -> None:
        """Behind what the stream has said until now."""
        asyncio.get_running_loop().call_soon(self._mention, stream, aside)

    def _mention(self, stream: StreamWriter, aside: EventRow) -> None:
        if not stream.is_lost:
            self._tell(stream.key, aside)

    def hurry(self, stream: StreamWriter) -> None:
        """Somebody waits for the stream to be stored."""
        self._collect(stream)
        self._is_urgent.set()

    def leave_to(self, stream: StreamWriter) -> None:
        """Ring what is left to say; storing it is up to the caller."""
        self._collect(stream)
        self._unstored.pop(stream.key, None)

    def _may_go_ahead(self, stream: StreamWriter, now: float) -> bool:
        """Whether it was silent for half a window, and only a share of the streams speaks now."""
        if now > self._ahead_until:
            self._ahead, self._ahead_until = MOST_A_TICK, now + RING_SECONDS
        if self._ahead <= 0 or now - stream.told_at < self._window() / 2:
            return False
        self._ahead -= 1
        return True

    def _window(self) -> float:
        return max(TICK_SECONDS, min(TICK_PER_STREAM * len(self._streams), LONGEST_TICK))

    def _pause(self) -> float:
        """Between two ticks: so long that everybody's turn comes once in a window."""
        return self._window() * min(1.0, MOST_A_TICK / max(1, len(self._streams)))

    # -- live -----------------------------------------------------------------------------------

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        self._ticked = loop.time()
        due = list(islice(self._dirty, MOST_A_TICK))
        for stream in map(self._dirty.pop, due):
            self._collect(stream)
        if self._dirty:
            self._timer = loop.call_at(self._ticked + self._pause(), self._tick)

    def _collect(self, stream: StreamWriter) -> None:
        if stream.is_lost:
            return
        rows = stream.collect()
        if not rows:
            return
        stream.told_at = asyncio.get_running_loop().time()
        for row in rows:
            self._tell(stream.key, row)
        self._unstored[stream.key] = stream
        self._has_unstored.set()
        if stream.has_urgent or stream.unstored_bytes > STORE_BYTES:
            self._is_urgent.set()

    def _tell(self, key: str, row: EventRow) -> None:
        for web_id in self._watchers.get(key, ()):
            self._outbox.setdefault(web_id, []).append((key, *row))
            self._has_outbox.set()

    async def _keep_ringing(self) -> None:
        while True:
            await self._has_outbox.wait()
            self._has_outbox.clear()
            outbox, self._outbox = self._outbox, {}
            for web_id, rows in outbox.items():
                try:
                    message = orjson.dumps(rows, default=str)
                except TypeError:
                    log.exception("live events cannot be sent; they are read from the log")
                    continue
                await self._publish(web_channel(web_id), message)
            await asyncio.sleep(RING_SECONDS)

    # -- the log -----------------------------------------------------------------------------------

    async def _keep_storing(self) -> None:
        while True:
            await self._has_unstored.wait()
            if not self._is_urgent.is_set():
                try:
                    async with asyncio.timeout(STORE_SECONDS):
                        await self._is_urgent.wait()
                except TimeoutError:
                    pass
            self._is_urgent.clear()
            self._has_unstored.clear()
            streams = list(self._unstored.values())
            self._unstored.clear()
            if streams:
                await self._store_all([(stream, stream.next_batch()) for stream in streams])

    async def _store_all(self, batches: list[tuple[StreamWriter, Batch]]) -> None:
        held = await self._store_patiently([batch for _, batch in batches])
        for stream, batch in batches:
            if batch.stream_id in held:
                stream.stored(len(batch.rows))
            else:
                stream.lose()

    async def _store_patiently(self, batches: Sequence[Batch]) -> set[UUID]:
        """Store, waiting for Postgres as long as it is away."""
        while True:
            try:
                return await self._store(batches)
            except (db.OperationalError, db.InterfaceError) as error:
                log.warning("events wait for Postgres: %s", error)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:  # what one stream says must not silence the others
                if len(batches) == 1:
                    log.exception("events of stream %s cannot be stored", batches[0].stream_id)
                    return set()
                answers = [await self._store_patiently([batch]) for batch in batches]
                return set().union(*answers)
