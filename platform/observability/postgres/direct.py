"""Statements that an event loop sends itself: no thread is asked, and none waited for.

For the short statements of the hot path. A thread costs two switches each way and its share of the
interpreter's lock, which is more than Postgres needs. Whoever gets an error here asks again in a
thread, where patience is (`observability.patience`): nothing here waits for Postgres to come back.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection

from observability.postgres.line import Asked, Line, Row, Step
from observability.postgres.prepared import numbered

MOST = 4  # connections of a loop
IDLE_SECONDS = 5.0  # until unused connections are closed …
LAST_SECONDS = 120.0  # … and the last: making one takes long, and who is between may forget it
TIME_ZONE = "select set_config('TimeZone', $1, false)"


async def fetch(statement: str, values: Mapping[str, Any]) -> list[Row]:
    """The rows of a statement as `prepared` takes it, in a transaction of its own.

    Raises psycopg.Error, also where Postgres is away or has no connection to spare.
    """
    return (await ask((statement, values))).rows


async def ask(*steps: tuple[str, Mapping[str, Any]]) -> Asked:
    """One transaction: the rows of its last statement with the names of their `columns`."""
    mine = await _of_this_loop()
    return await mine.ask([(numbered(statement), values) for statement, values in steps])


async def ask_early(
    statement: str, values: Mapping[str, Any]
) -> tuple[Asked, asyncio.Future[Asked]]:
    """The rows that a statement has written, while they are still on their way to the disk; and
    what is done once they are there.

    Nobody may be told before. An error of the second: nobody knows whether it was written, and
    whoever got the rows has to let go of them. Share it by `asyncio.shield`.
    """
    mine = await _of_this_loop()
    return await (await mine.line()).fetch_early([(numbered(statement), values)])


async def open_soon() -> None:
    """Somebody has come who will ask: a connection is made beside them, if there is none."""
    (await _of_this_loop()).open_soon()


async def _of_this_loop() -> "Direct":
    loop = asyncio.get_running_loop()
    mine = _by_loop.get(loop)
    if mine is None:
        mine = _by_loop[loop] = Direct()
        await anext(mine.until_the_end)
    return mine


class Direct:
    """The connections of one event loop; who is free works, and what is not needed stays cold."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.until_the_end = self._closed_with_loop()
        self._opening: asyncio.Task[None] | None = None
        self._used_at = 0.0  # in the loop's time
        self._is_looked_at = False

    async def ask(self, steps: Sequence[Step]) -> Asked:
        return await (await self.line()).fetch(steps)

    async def line(self) -> Line:
        """For what is asked next, in this turn of the loop."""
        line = await self._shortest()
        self._keep()
        return line

    def open_soon(self) -> None:
        self._keep()
        if self._opening is None and all(line.is_closed for line in self.lines):
            self._opening = asyncio.create_task(self._open(), name="postgres")
            self._opening.add_done_callback(_heard)

    async def _shortest(self) -> Line:
        """One that is free, else the one with the least to do while another is opened."""
        while True:
            self.lines = [line for line in self.lines if not line.is_closed]
            usable = [line for line in self.lines if not line.is_leaving]
            for line in usable:
                if not line.length:
                    return line
            if self._opening is None and len(self.lines) < MOST:
                self._opening = asyncio.create_task(self._open(), name="postgres")
            if usable:
                return min(usable, key=lambda line: line.length)
            if self._opening is None:
                raise psycopg.OperationalError("every connection is being left")
            await asyncio.shield(self._opening)  # none is open

    async def _open(self) -> None:
        try:
            self.lines.append(await _connected())
        except psycopg.Error:
            if not self.lines:  # else those that are there do it
                raise
        finally:
            self._opening = None

    async def _closed_with_loop(self) -> AsyncGenerator[None, None]:
        """A loop that ends closes the generators that were begun in it."""
        try:
            yield
        finally:
            _by_loop.pop(asyncio.get_running_loop(), None)
            self._close()

    def _keep(self) -> None:
        """What is open, from now on for a while."""
        self._used_at = asyncio.get_running_loop().time()
        if not self._is_looked_at:
            self._is_looked_at = True
            asyncio.get_running_loop().call_later(IDLE_SECONDS, self._look)

    def _look(self) -> None:
        """Every few seconds, until nothing is open."""
        idle = asyncio.get_running_loop().time() - self._used_at
        self.lines = [line for line in self.lines if not line.is_closed]
        if idle >= IDLE_SECONDS and not any(line.length for line in self.lines):
            self._close(but=0 if idle >= LAST_SECONDS else 1)
        self._is_looked_at = bool(self.lines or self._opening)
        if self._is_looked_at:
            asyncio.get_running_loop().call_later(IDLE_SECONDS, self._look)

    def _close(self, but: int = 0) -> None:
        for line in self.lines[but:]:
            line.close()
        del self.lines[but:]


def _heard(opening: "asyncio.Task[None]") -> None:
    """Whoever asks next is told why there is none."""
    if not opening.cancelled():
        opening.exception()


_by_loop: dict[asyncio.AbstractEventLoop, Direct] = {}


async def _connected() -> Line:
    """Values are read as Django's connections read them."""
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    prepares = parameters.pop("prepare_threshold", None) is not None
    made = await psycopg.AsyncConnection.connect(**parameters, autocommit=True)
    try:
        if made.info.parameter_status("TimeZone") != connection.timezone_name:
            cursor = psycopg.AsyncRawCursor(made)
            await cursor.execute(TIME_ZONE, [connection.timezone_name])
    except BaseException:  # also where the loop ends meanwhile
        await made.close()
        raise
    return Line(made, prepares=prepares)
