"""Usage rows on their way into Postgres: of calls that end together, one statement and one commit.

While a group is on its way the next gathers: alone a row goes at once, and a hundred ends a second
share a few commits.
"""

import asyncio
from collections.abc import Sequence
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import orjson
import psycopg
from django.db import DatabaseError, connection

from gateway.models import Usage
from observability.patience import run_patiently
from observability.postgres import direct
from security.text import storable_json

LOST = "interrupted"  # the outcome of a call that nobody saw the end of
LOCK = 0x75736167  # "usag": of the locks that keep the rows of a turn apart
MOST_ROWS = 200  # of one statement
_FIELDS = [field for field in Usage._meta.concrete_fields if field.name != "transaction"]

Waiting = tuple[Sequence[Usage], "asyncio.Future[None]"]


class Writer:
    """The rows of one event loop."""

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []
        self._task: asyncio.Task[None] | None = None

    async def write(self, rows: Sequence[Usage]) -> None:
        """Return when they are there. Postgres being away is waited out; raises DatabaseError."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((rows, done))
        if self._task is None:
            self._task = asyncio.create_task(self._keep_writing(), name="usage")
        await done

    async def _keep_writing(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:MOST_ROWS], self._waiting[MOST_ROWS:]
                await self._write(group)
        finally:
            self._task = None

    async def _write(self, group: Sequence[Waiting]) -> None:
        try:
            await _insert([row for rows, _done in group for row in rows])
        except DatabaseError as error:
            if len(group) > 1:  # one row must not take the others along
                for one in group:
                    await self._write([one])
            elif not (done := group[0][1]).done():
                done.set_exception(error)
            return
        for _rows, done in group:
            if not done.done():
                done.set_result(None)


async def _insert(rows: Sequence[Usage]) -> None:
    """At once, as nearly always; where that does not do, patiently in a thread."""
    try:
        await direct.ask(*_steps(rows))
    except psycopg.Error:
        await run_patiently(insert_rows, rows)


def insert_rows(rows: Sequence[Usage]) -> None:
    """Changes nothing for rows that are there already: a commit may outlive the connection.

    A runner that was frozen until others took it for dead may still count the call they had to
    guess. Each side writes first and looks then, one after the other by a lock of the turn, so that
    the later one sees both rows, and the guess goes. One round trip; its statements are one commit.
    """
    with connection.cursor() as cursor:
        statements, values = zip(*_steps(rows), strict=True)
        cursor.execute(";".join(statements), {name: v for one in values for name, v in one.items()})


def _steps(rows: Sequence[Usage]) -> list[tuple[str, dict[str, Any]]]:
    """The statements of one transaction, with their values."""
    told = orjson.dumps([_values(row) for row in rows], default=str).decode()
    insertion = (_insertion(), {"rows": storable_json(told)})
    turns = list({str(row.turn_id) for row in rows if row.turn_id})
    if not turns:
        return [insertion]
    return [
        (_LOCKING, {"lock": LOCK, "turns": turns}),
        insertion,
        (_FORGETTING, {"turns": turns, "lost": LOST}),
    ]


_LOCKING = """
    select pg_advisory_xact_lock(%(lock)s::int, turn) from (
        select distinct hashtext(id) as turn from unnest(%(turns)s::text[]) as id order by 1
    ) as turns
"""
_FORGETTING = """
    with gone as (
        delete from gateway_usage lost
        where turn_id = any(%(turns)s::text[]::uuid[]) and outcome = %(lost)s and exists (
            select from gateway_usage counted
            where counted.turn_id = lost.turn_id and counted.outcome <> lost.outcome
              and counted.model_name = lost.model_name)
        returning created_at
    )
    insert into gateway_usagechange (at)
    select distinct date_trunc('hour', created_at, 'UTC') from gone
    on conflict do nothing
"""


@cache
def _insertion() -> str:
    """Django would need four round trips and build the statement each time: this is after every
    answer."""
    columns = ", ".join(str(field.column) for field in _FIELDS)
    table = Usage._meta.db_table
    return (
        f"insert into {table} ({columns}) select {columns} "  # noqa: S608 - our names
        f"from jsonb_populate_recordset(null::{table}, %(rows)s::jsonb) on conflict do nothing"
    )


def _values(row: Usage) -> dict[str, Any]:
    return {str(field.column): field.pre_save(row, add=True) for field in _FIELDS}


_writers: WeakKeyDictionary[asyncio.AbstractEventLoop, Writer] = WeakKeyDictionary()


async def write(rows: Sequence[Usage]) -> None:
    """Through the writer of the running loop."""
    loop = asyncio.get_running_loop()
    if loop not in _writers:
        _writers[loop] = Writer()
    await _writers[loop].write(rows)
