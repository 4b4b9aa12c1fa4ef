"""Feeds one stream to one socket: joined, paced, and never more than the client keeps up with."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from chat.live.frames import Frame, event_frames, reload
from chat.visibility import Screen
from events.cancelling import cancel_all
from events.hub import Subscription
from events.types import CannotReplay

FRAME_SECONDS = 0.030  # between two frames of a stream at least; a runner's tick is longer
WINDOW = 64  # frames a client may leave unacknowledged at full pace
SLOW_SECONDS = 1.0  # beyond that one joined frame a second …
LIMIT = 256  # … until so many; then the stream waits for the client
FAILED_SECONDS = 1.0  # a page that loads anew may meet the same again: not in a tight circle

log = logging.getLogger(__name__)

Send = Callable[[Frame], Awaitable[None]]


class Pump:
    """Runs until the stream is over, cannot be replayed, or is closed.

    A client is never left without a word: what goes wrong here ends in its `reload` too.
    Daphne never pushes back, so the client's acknowledgements are the only measure of what it has
    read; events wait in the log, not in memory.
    """

    def __init__(
        self, subscription: Subscription, screen: Screen, send: Send, on_end: Callable[[], None]
    ) -> None:
        self.sent = subscription.tail.seq
        self._subscription = subscription
        self._screen = screen
        self._send = send
        self._key = str(subscription.stream_id)
        self._unacked: deque[int] = deque()
        self._acked = asyncio.Event()
        self._sent_at = 0.0
        self._task = asyncio.create_task(self._run(), name=f"pump {self._key}")
        self._task.add_done_callback(lambda _task: on_end())

    def acknowledge(self, seq: int) -> None:
        while self._unacked and self._unacked[0] <= seq:
            self._unacked.popleft()
        self._acked.set()

    async def close(self) -> None:
        await cancel_all([self._task])

    async def _run(self) -> None:
        try:
            while await self._feed():
                pass
        except CannotReplay:
            await self._send(reload(self._key))
        except Exception:
            log.exception("stream %s cannot be shown", self._key)
            await asyncio.sleep(FAILED_SECONDS)
            await self._send(reload(self._key))
        finally:
            self._subscription.close()

    async def _feed(self) -> bool:
        """Send what there is, once there is something and the client may have it."""
        await self._subscription.ready()
        if len(self._unacked) >= WINDOW:
            await self._wait_for_credit()
        await self._keep_pace()
        rows = self._subscription.take()
        for frame in event_frames(self._key, await self._screen.let_through(rows)):
            if (seq := frame.get("seq")) is not None:  # asides have none
                self._unacked.append(seq)
                self.sent = seq  # before the await: a new subscription compares with it
            await self._send(frame)
        if not rows:
            return not self._subscription.tail.is_over
        if rows[-1].is_delta:
            self._sent_at = asyncio.get_running_loop().time()
        return True

    async def _keep_pace(self) -> None:
        """First words and single events go at once; deltas after deltas are gathered."""
        wait = self._sent_at + FRAME_SECONDS - asyncio.get_running_loop().time()
        if wait > 0:
            await asyncio.sleep(wait)

    async def _wait_for_credit(self) -> None:
        loop = asyncio.get_running_loop()
        slow_until = loop.time() + SLOW_SECONDS
        while len(self._unacked) >= WINDOW:
            patience = slow_until - loop.time() if len(self._unacked) < LIMIT else None
            if patience is not None and patience <= 0:
                return
            self._acked.clear()
            try:
                async with asyncio.timeout(patience):
                    await self._acked.wait()
            except TimeoutError:
                return
