"""Statements that an event loop sends itself: no thread is asked, and none waited for.

For a few short statements of the hot path that may be made twice. A thread costs two switches each
way, which is more than Postgres needs. Whoever gets an error here asks again in a thread, where
patience is (`observability.patience`): nothing here waits for Postgres to come back.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import psycopg
from django.db import connection

from observability.postgres.prepared import numbered

MOST = 4  # connections of a loop
IDLE_SECONDS = 5.0  # until an unused connection is closed

Row = tuple[Any, ...]
Connection = psycopg.AsyncConnection[Row]


async def fetch(statement: str, values: Mapping[str, Any]) -> list[Row]:
    """The rows of a statement as `prepared` takes it, in a transaction of its own.

    Raises psycopg.Error, also where Postgres is away or has no connection to spare.
    """
    loop = asyncio.get_running_loop()
    mine = _by_loop.get(loop)
    if mine is None:
        mine = _by_loop[loop] = Direct()
        await anext(mine.until_the_end)
    return await mine.fetch(statement, values)


class Direct:
    """The connections of one event loop; who worked last works next."""

    def __init__(self) -> None:
        self.free: list[Connection] = []
        self.until_the_end = self._closed_with_loop()
        self._places = asyncio.Semaphore(MOST)
        self._was_used = self._is_looked_at = False

    async def fetch(self, statement: str, values: Mapping[str, Any]) -> list[Row]:
        sent = numbered(statement)
        given = [values[name] for name in sent.names]
        async with self._places:
            used = self.free.pop() if self.free else await _connect()
            try:
                cursor = psycopg.AsyncRawCursor(used)
                await cursor.execute(sent.query, given, prepare=True)
                rows = await cursor.fetchall() if cursor.description else []
            except BaseException:  # it may be anywhere in its statement
                used.pgconn.finish()
                raise
            self.free.append(used)
        self._was_used = True
        if not self._is_looked_at:
            self._look()
        return rows

    async def _closed_with_loop(self) -> AsyncGenerator[None, None]:
        """A loop that ends closes the generators that were begun in it."""
        try:
            yield
        finally:
            _by_loop.pop(asyncio.get_running_loop(), None)
            _close(self.free)

    def _look(self) -> None:
        """Every few seconds, until nothing was asked in between: then nothing is kept."""
        self._is_looked_at = self._was_used
        if not self._was_used:
            _close(self.free)
            return
        self._was_used = False
        asyncio.get_running_loop().call_later(IDLE_SECONDS, self._look)


_by_loop: dict[asyncio.AbstractEventLoop, Direct] = {}


def _close(idle: list[Connection]) -> None:
    for unused in idle:
        unused.pgconn.finish()
    idle.clear()


async def _connect() -> Connection:
    parameters = connection.get_connection_params()
    for name in ("context", "cursor_factory", "prepare_threshold"):
        parameters.pop(name, None)
    return await psycopg.AsyncConnection.connect(**parameters, autocommit=True)
