"""One stream as its only writer sees it."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from events.log import Batch
from events.types import ASIDES, DELTA_KINDS, Claim, EventRow, LeaseLost, Payload

# Characters: an event is the least that a client who does not read makes us keep in memory.
LONGEST_DELTA = 16_384


class Scheduler(Protocol):
    """What a stream asks of the process-wide writer."""

    def mark(self, stream: "StreamWriter", *, at_once: bool) -> None: ...

    def mention(self, stream: "StreamWriter", aside: EventRow) -> None: ...

    def hurry(self, stream: "StreamWriter") -> None: ...

    def leave_to(self, stream: "StreamWriter") -> None: ...


class StreamWriter:
    """Gathers events, numbers them when they are collected, and keeps them until stored."""

    def __init__(self, claim: Claim, scheduler: Scheduler, on_lost: Callable[[], None]) -> None:
        self.claim = claim
        self.key = str(claim.stream_id)
        self.seq = claim.next_seq - 1
        self.unstored: list[EventRow] = []
        self.unstored_bytes = 0
        self.has_urgent = False
        self.told_at = 0.0  # in the loop's time
        self.is_lost = False
        self._scheduler = scheduler
        self._on_lost = on_lost
        self.asides: dict[str, EventRow] = {}
        self._gathered: list[tuple[str, Payload | list[str]]] = []
        self._started: set[str] = set()
        self._stored_seq = self.seq
        self._waiting: list[tuple[int, asyncio.Future[None]]] = []
        self._on_its_way = 0  # the seq up to which a batch is being stored

    def emit(self, kind: str, payload: Payload) -> None:
        """Add an event; it is rung in this turn of the loop, and stored with the next batch."""
        self._gathered.append((kind, payload))
        self._scheduler.mark(self, at_once=True)

    def emit_text(self, kind: str, text: str) -> None:
        """Add a delta; the first of its kind is rung at once, later ones with the next tick,
        or before it where nothing was said for a while."""
        if kind not in DELTA_KINDS:
            raise ValueError(kind)
        if self._gathered:
            last_kind, parts = self._gathered[-1]
            if last_kind == kind and isinstance(parts, list):
                parts.append(text)
                return
        self._gathered.append((kind, [text]))
        is_first = kind not in self._started
        if is_first:
            self._started.add(kind)
            self.has_urgent = True
        self._scheduler.mark(self, at_once=is_first)

    def emit_aside(self, kind: str, payload: Payload) -> None:
        """Tell it to those who follow now, and to nobody later; the last one about a thing is told
        again to whoever comes, until `drop_aside`."""
        aside = EventRow(0, kind, payload)
        self.asides[payload[ASIDES[kind]]] = aside
        self._scheduler.mention(self, aside)

    def drop_aside(self, about: str) -> None:
        self.asides.pop(about, None)

    def collect(self) -> list[EventRow]:
        """Number what was gathered; neighbouring deltas are one event."""
        rows = []
        for kind, gathered in self._gathered:
            for payload in [gathered] if isinstance(gathered, dict) else _words(gathered):
                self.seq += 1
                rows.append(EventRow(self.seq, kind, payload))
                self.unstored_bytes += len(payload.get("text", ""))
        self._gathered.clear()
        self.unstored += rows
        return rows

    async def drain(self) -> None:
        """Return when everything emitted so far is in the log. Raises LeaseLost."""
        self._scheduler.hurry(self)
        if self.is_lost:
            raise LeaseLost(self.key)
        await self._reach(self.seq)

    async def last_rows(self) -> list[EventRow]:
        """What is not in the log when nothing is on its way there: for whoever stores the end of
        the stream together with it. Nothing is emitted or stored here any more. Raises LeaseLost.
        """
        self._scheduler.leave_to(self)
        if self.is_lost:
            raise LeaseLost(self.key)
        await self._reach(self._on_its_way)
        return list(self.unstored)

    async def _reach(self, seq: int) -> None:
        """Wait until the log has the event with this number."""
        if self._stored_seq < seq:
            done = asyncio.get_running_loop().create_future()
            self._waiting.append((seq, done))
            await done

    # -- called by EventWriter ------------------------------------------------------------------

    def next_batch(self) -> Batch:
        self.unstored_bytes = 0
        self.has_urgent = False
        self._on_its_way = self.seq
        return Batch(self.claim.stream_id, self.claim.fence, list(self.unstored))

    def stored(self, count: int) -> None:
        self._stored_seq = self.unstored[count - 1].seq
        del self.unstored[:count]
        for seq, done in self._waiting:
            if seq <= self._stored_seq and not done.done():
                done.set_result(None)
        self._waiting = [item for item in self._waiting if not item[1].done()]

    def lose(self) -> None:
        """The fence is outdated: nothing more is written."""
        if self.is_lost:
            return
        self.is_lost = True
        for _, done in self._waiting:
            if not done.done():
                done.set_exception(LeaseLost(self.key))
        self._waiting.clear()
        self._on_lost()


def _words(parts: list[str]) -> list[Payload]:
    """A delta, or several where one would be too long."""
    text = "".join(parts).replace("\0", "")
    starts = range(0, max(len(text), 1), LONGEST_DELTA)
    return [{"text": text[start : start + LONGEST_DELTA]} for start in starts]
