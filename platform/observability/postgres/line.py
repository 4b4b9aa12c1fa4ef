"""A connection to Postgres on which an event loop sends one statement behind the other, without
waiting for answers in between: the pipeline mode of libpq.

psycopg's own pipelines are one task's. Here every coroutine of the loop shares the line: what is
asked in one turn of the loop leaves in one write, and what has come is read in one read. What is
asked together is a transaction; one that fails takes no other along.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg import capabilities
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import DiagnosticField, ExecStatus

from observability.postgres.prepared import Statement, numbered

LEAVE_SECONDS = 2.0
CHANGED = {b"0A000", b"26000"}  # a table has changed since, or the statement is not there
MOST_PREPARED = 200  # statements of a connection; a type of a value that changes makes another
LATER = numbered("select set_config('synchronous_commit', 'off', true)")
ON_DISK = numbered("select pg_logical_emit_message(true, 'parley', '')")  # with all before it

Row = tuple[Any, ...]
Connection = psycopg.AsyncConnection[Row]


Step = tuple[Statement, Mapping[str, Any]]


class Unanswered(psycopg.OperationalError):
    """The connection was lost: nobody knows what became of what was asked."""


class Asked:
    """A transaction on its way, and what is known of its answer: that of its last statement."""

    __slots__ = ("answer", "columns", "error", "fresh", "keys", "open", "rows")

    def __init__(self, answer: "asyncio.Future[Asked]") -> None:
        self.answer = answer
        self.open = 0  # commands whose results have not come
        self.keys: list[Any] = []  # of its prepared statements
        self.fresh: set[Any] = set()  # of them, those that were prepared with it
        self.columns: tuple[str, ...] = ()
        self.rows: list[Row] = []
        self.error: psycopg.Error | None = None


class Line:
    """Of the running loop; `is_closed` once Postgres is gone, or somebody has closed it, and
    `is_leaving` while nothing more is to be asked here."""

    def __init__(self, connection: Connection, *, prepares: bool = True) -> None:
        self.is_closed = self.is_leaving = False
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._pgconn = connection.pgconn
        self._prepares = prepares
        self._transformer = Transformer(connection)
        self._asked: deque[Asked] = deque()
        self._names: dict[Any, bytes] = {}
        self._left: list[bytes] = []  # names on the server that nothing here has any more
        self._columns: dict[Any, tuple[str, ...]] = {}
        self._count = 0
        self._is_flushing = False
        self._leaving: asyncio.Task[None] | None = None
        self._pgconn.nonblocking = 1
        self._pgconn.enter_pipeline_mode()
        self._socket = self._pgconn.socket
        self._loop.add_reader(self._socket, self._read)

    @property
    def length(self) -> int:
        """Transactions on their way."""
        return len(self._asked)

    async def fetch(self, steps: Iterable[Step]) -> Asked:
        """The rows of the last statement and the names of their columns. Raises psycopg.Error."""
        return await self._answer_to(self._send(steps))

    async def fetch_early(self, steps: Iterable[Step]) -> "tuple[Asked, asyncio.Future[Asked]]":
        """The same as soon as it is done and others see it, a wait for the disk before `fetch`;
        and what is done when it is on the disk, at once where there are no rows: with an error
        nobody knows whether it is."""
        asked = await self._answer_to(self._send([(LATER, {}), *steps]))
        return asked, self._kept() if asked.rows else _done(asked)

    def _kept(self) -> "asyncio.Future[Asked]":
        """Done when all that was written is on the disk."""
        try:
            kept = self._send([(ON_DISK, {})]).answer
        except psycopg.Error as error:
            kept = self._loop.create_future()
            kept.set_exception(Unanswered(str(error)))
        kept.add_done_callback(_heard)
        return kept

    async def _answer_to(self, asked: Asked) -> Asked:
        try:
            return await asked.answer
        except asyncio.CancelledError:
            if len(self._asked) == 1 and self._asked[0] is asked:  # nobody waits behind it
                self.is_leaving = True
                self._leaving = asyncio.create_task(self._leave(), name="postgres")
            raise

    async def _leave(self) -> None:
        """Postgres would go on with the statement of somebody who has left."""
        try:
            await self._connection.cancel_safe(timeout=LEAVE_SECONDS)
        except psycopg.Error:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Whoever still waits for an answer gets an error."""
        if self.is_closed:
            return
        self.is_closed = True
        self._loop.remove_reader(self._socket)
        self._loop.remove_writer(self._socket)
        self._pgconn.finish()
        error = Unanswered("the connection was closed")
        for asked in self._asked:
            if not asked.answer.done():
                asked.answer.set_exception(error)
        self._asked.clear()

    def _send(self, steps: Iterable[Step]) -> Asked:
        asked = Asked(self._loop.create_future())
        told = [self._told(statement, values) for statement, values in steps]
        try:
            self._close_left(asked)
            for key, values, formats in told:
                asked.keys.append(key)
                asked.open += 1
                if name := self._name_of(key, asked):
                    self._pgconn.send_query_prepared(name, values, formats)
                else:
                    self._pgconn.send_query_params(key[0], values, key[1], formats)
            self._pgconn.pipeline_sync()
        except psycopg.Error:
            self.close()
            raise
        self._asked.append(asked)
        if not self._is_flushing:
            self._is_flushing = True
            self._loop.call_soon(self._flush)
        return asked

    def _told(self, statement: Statement, values: Mapping[str, Any]) -> tuple[Any, Any, Any]:
        """The key of a statement, and its values as they are sent."""
        given = [values[name] for name in statement.names]
        told = self._transformer.dump_sequence(given, [PyFormat.AUTO] * len(given))
        return (statement.query, self._transformer.types), told, self._transformer.formats

    def _name_of(self, key: Any, asked: Asked) -> bytes:
        """Under which it is prepared, now if not before; empty where it is not to be."""
        name = self._names.get(key)
        if name is None and self._prepares and len(self._names) < MOST_PREPARED:
            self._count += 1
            name = self._names[key] = b"line_%d" % self._count
            asked.fresh.add(key)
            asked.open += 1
            self._pgconn.send_prepare(name, *key)
        return name or b""

    def _flush(self) -> None:
        self._is_flushing = False
        if self.is_closed:
            return
        try:
            if self._pgconn.flush():
                self._loop.add_writer(self._socket, self._flush)
            else:
                self._loop.remove_writer(self._socket)
        except psycopg.Error:
            self.close()

    def _read(self) -> None:
        try:
            self._pgconn.consume_input()
            self._take()
        except psycopg.Error:
            self.close()

    def _take(self) -> None:
        """All results that are there. Between those of two commands libpq puts a None."""
        nothings = 0
        while self._asked and not self._pgconn.is_busy():
            result = self._pgconn.get_result()
            if result is None:
                nothings += 1
                if nothings > 1:
                    return
                continue
            nothings = 0
            if result.status == ExecStatus.PIPELINE_SYNC:
                self._settle(self._asked.popleft())
            else:
                self._note(self._asked[0], result)

    def _note(self, asked: Asked, result: Any) -> None:
        asked.open -= 1
        if result.status == ExecStatus.TUPLES_OK and not asked.open:  # of the last statement
            query = asked.keys[-1][0]
            if query not in self._columns:
                names = (result.fname(n).decode() for n in range(result.nfields))
                self._columns[query] = tuple(names)
            asked.columns = self._columns[query]
            self._transformer.set_pgresult(result)
            asked.rows = self._transformer.load_rows(0, result.ntuples, tuple)
        elif result.status == ExecStatus.FATAL_ERROR:
            self._forget(asked, result.error_field(DiagnosticField.SQLSTATE))
            asked.error = psycopg.errors.error_from_result(result, encoding="utf-8")

    def _forget(self, asked: Asked, state: bytes | None) -> None:
        """The names of statements that may be why, or that may not be there: what stands behind
        one that fails is never prepared. They are closed with what is asked next."""
        for key in asked.keys if state in CHANGED else asked.fresh:
            if (name := self._names.pop(key, None)) is not None:
                self._left.append(name)

    def _close_left(self, asked: Asked) -> None:
        """An older libpq cannot say so: they stay until the connection ends."""
        if capabilities.has_send_close_prepared():
            for name in self._left:
                self._pgconn.send_close_prepared(name)
            asked.open += len(self._left)
        self._left.clear()

    def _settle(self, asked: Asked) -> None:
        if asked.answer.done():
            return
        if asked.error is None:
            asked.answer.set_result(asked)
        else:
            asked.answer.set_exception(asked.error)


def _done(asked: Asked) -> "asyncio.Future[Asked]":
    done = asyncio.get_running_loop().create_future()
    done.set_result(asked)
    return done


def _heard(kept: "asyncio.Future[Asked]") -> None:
    """Whoever waits for it hears of its error, and where nobody does it is nobody's."""
    if not kept.cancelled():
        kept.exception()
