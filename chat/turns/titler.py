"""The part of the runner that writes titles, beside the turns and never before them."""

import asyncio
import logging

from django import db

from chat.turns.titling import TitleWork, claim_titles, store_title, write_title
from events.cancelling import cancel_all
from events.types import LeaseLost
from gateway.errors import GatewayError
from observability.lanes import Lane

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0  # for what a runner that died has left; its own turns ring
AT_ONCE = 4
WRITE_SECONDS = 30.0


class Titler:
    """Takes up titles when `ring` says so, and now and then by itself, until cancelled."""

    def __init__(self, holder: str) -> None:
        self._holder = holder
        self._lane = Lane("titles", 1)
        self._rung = asyncio.Event()
        self._writing: set[asyncio.Task[None]] = set()

    def ring(self) -> None:
        self._rung.set()

    async def run(self) -> None:
        try:
            while True:
                self._rung.clear()
                await self._look()
                await self._wait()
        finally:
            await cancel_all(list(self._writing))

    async def _look(self) -> None:
        room = AT_ONCE - len(self._writing)
        try:
            found = await self._lane.run(claim_titles, self._holder, room) if room > 0 else []
        except Exception:
            log.exception("titles were not looked for; trying again")
            return
        for work in found:
            task = asyncio.create_task(self._write(work), name=f"title {work.claim.stream_id}")
            self._writing.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._writing.discard(task)
        self.ring()  # there may have been more than there was room for

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._rung.wait()
        except TimeoutError:
            pass

    async def _write(self, work: TitleWork) -> None:
        """A title that fails is not tried again: the one cut from the question stays."""
        title = ""
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                title = await write_title(work)
        except (GatewayError, TimeoutError) as error:
            log.info("no title for %s: %s", work.claim.stream_id, error)
        try:
            await self._lane.run(store_title, work.claim, title)
        except LeaseLost:
            log.info("the title of %s is somebody else's now", work.claim.stream_id)
        except db.Error as error:  # its lease runs out, and it is taken up again
            log.warning("the title of %s was not stored: %s", work.claim.stream_id, error)
