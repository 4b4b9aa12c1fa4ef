"""Statements that an event loop sends itself: bounded, mended, and nothing left open behind it."""

import asyncio
import time
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from observability.postgres import direct, line
from observability.postgres.prepared import numbered

pytestmark = pytest.mark.django_db(transaction=True)

ASK = "select %(n)s::int, pg_backend_pid()"


def sessions() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select pid from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid()"
        )
        return {pid for (pid,) in cursor.fetchall()}


def test_many_at_once_share_a_few_connections_and_the_loop_leaves_none() -> None:
    async def ask() -> set[int]:
        rows = await asyncio.gather(*(direct.fetch(ASK, {"n": n}) for n in range(50)))
        assert [row[0][0] for row in rows] == [*range(50)]
        return {row[0][1] for row in rows}

    before = {*direct._by_loop}  # of servers that run in this process
    used = asyncio.run(ask())
    assert len(used) <= direct.MOST
    deadline = time.monotonic() + 20  # Postgres hears of an end in its own time
    while used & sessions() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not used & sessions()
    assert {*direct._by_loop} <= before


def test_who_gets_an_error_or_leaves_spoils_no_connection() -> None:
    async def ask() -> None:
        with pytest.raises(psycopg.errors.DivisionByZero):
            await direct.fetch("select 1 / %(n)s::int", {"n": 0})
        slow = asyncio.create_task(direct.fetch("select pg_sleep(%(n)s::float8)", {"n": 60}))
        await asyncio.sleep(0.1)
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
        assert (await direct.fetch(ASK, {"n": 7}))[0][0] == 7

    asyncio.run(ask())


def test_a_connection_that_postgres_ended_is_an_error_once_at_most() -> None:
    async def ask() -> None:
        ((_n, pid),) = await direct.fetch(ASK, {"n": 1})
        await asyncio.to_thread(end, pid)
        with suppress(psycopg.Error):  # nearly always it was heard before
            await direct.fetch(ASK, {"n": 2})
        assert (await direct.fetch(ASK, {"n": 3}))[0][0] == 3

    def end(pid: int) -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("select pg_terminate_backend(%s, 5000)", [pid])
        finally:
            connection.close()

    asyncio.run(ask())


def test_a_statement_that_fails_takes_no_other_along_that_is_sent_with_it() -> None:
    async def ask() -> None:
        await direct.fetch(ASK, {"n": 1})
        sent = [direct.fetch("select 10 / %(n)s::int", {"n": n}) for n in (1, 0, 2, 0, 5)]
        found = await asyncio.gather(*sent, return_exceptions=True)
        assert [one for one in found if isinstance(one, list)] == [[(10,)], [(5,)], [(2,)]]
        assert [type(found[n]) for n in (1, 3)] == [psycopg.errors.DivisionByZero] * 2

    asyncio.run(ask())


@pytest.mark.parametrize("is_fresh", [True, False])
def test_what_fails_leaves_no_prepared_statement_behind(is_fresh: bool) -> None:
    divide, held = "select 10 / %(n)s::int", "select name from pg_prepared_statements"

    async def ask() -> None:
        if not is_fresh:
            await direct.fetch(divide, {"n": 1})
        before = {name for (name,) in await direct.fetch(held, {})}
        for _ in range(5):
            with pytest.raises(psycopg.errors.DivisionByZero):
                await direct.fetch(divide, {"n": 0})
        after = {name for (name,) in await direct.fetch(held, {})}
        assert len(after) == len(before)
        assert await direct.fetch(divide, {"n": 5}) == [(2,)]

    asyncio.run(ask())


def test_a_table_that_has_changed_is_read_again() -> None:
    held = (
        "select count(*) from pg_prepared_statements where statement like 'select * from chang%%'"
    )

    async def ask() -> None:
        await direct.fetch("create temporary table changing (a int)", {})
        for n in range(3):
            assert await direct.fetch("select * from changing", {}) == []
            await direct.fetch(f"alter table changing add b{n} int", {})
            with pytest.raises(psycopg.errors.FeatureNotSupported):
                await direct.fetch("select * from changing", {})
        assert await direct.fetch("select * from changing", {}) == []
        assert await direct.fetch(held, {}) == [(1,)]

    asyncio.run(ask())


def test_values_come_as_from_djangos_connections_and_columns_with_their_names() -> None:
    statement = "select now() as moment, '{\"a\": 1}'::jsonb as told, %(id)s::uuid[] as ids"
    values = {"id": [UUID(int=1), UUID(int=2)]}

    async def ask() -> None:
        asked = await direct.ask((statement, values))
        assert asked.columns == ("moment", "told", "ids")
        ((moment, told, ids),) = asked.rows
        assert (moment.utcoffset(), told, ids) == (timedelta(0), '{"a": 1}', values["id"])
        assert abs(timezone.now() - moment) < timedelta(hours=1)

    asyncio.run(ask())


def test_what_is_larger_than_a_socket_takes_arrives_whole() -> None:
    async def ask() -> None:
        texts = ["a" * 3_000_000, "", "你好" * 500_000]
        sent = (direct.fetch("select %(text)s::text", {"text": text}) for text in texts)
        assert [rows[0][0] for rows in await asyncio.gather(*sent)] == texts

    asyncio.run(ask())


async def opened(count: int) -> set[int]:
    """The sessions of this loop, once there are so many."""
    async with asyncio.timeout(20):
        while True:
            mine = direct._by_loop.get(asyncio.get_running_loop())
            if mine is not None and len(mine.lines) >= count:
                return {line._pgconn.backend_pid for line in mine.lines}
            await asyncio.sleep(0.01)


async def only_left(pids: set[int], count: int) -> None:
    def alone() -> set[int]:
        try:
            return sessions()
        finally:
            connection.close()

    async with asyncio.timeout(20):
        while len(pids & await asyncio.to_thread(alone)) > count:  # noqa: ASYNC110 - see below
            await asyncio.sleep(0.05)  # Postgres tells nobody


def test_unused_connections_are_closed_but_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "IDLE_SECONDS", 0.05)

    async def ask() -> None:
        busy = asyncio.gather(*(direct.fetch("select pg_sleep(1)", {}) for _ in range(3)))
        pids = await opened(2)  # nothing is closed while somebody waits
        await busy
        await only_left(pids, 1)
        await asyncio.sleep(0.2)
        ((_n, pid),) = await direct.fetch(ASK, {"n": 1})
        assert pid in pids  # it was kept
        monkeypatch.setattr(direct, "LAST_SECONDS", 0.05)
        await only_left({pid}, 0)
        assert (await direct.fetch(ASK, {"n": 2}))[0][0] == 2

    asyncio.run(ask())


def test_a_connection_is_made_for_somebody_who_will_ask() -> None:
    async def scenario() -> None:
        await direct.open_soon()
        await direct.open_soon()
        pids = await opened(1)
        ((_n, pid),) = await direct.fetch(ASK, {"n": 1})
        assert pids == {pid}

    asyncio.run(scenario())


def test_what_is_written_early_is_seen_by_others_and_then_on_the_disk() -> None:
    async def scenario() -> None:
        await direct.fetch("create table early (n int)", {})
        usual = await direct.fetch("show synchronous_commit", {})
        found, kept = await direct.ask_early(
            "insert into early values (%(n)s::int) returning n", {"n": 5}
        )
        assert found.rows == [(5,)]
        with psycopg.connect(**connection.get_connection_params()) as other:
            assert other.execute("select n from early").fetchall() == [(5,)]
        await kept
        assert await direct.fetch("show synchronous_commit", {}) == usual
        with pytest.raises(psycopg.errors.NotNullViolation):
            await direct.ask_early("insert into accounts_user (id) values (null)", {})

    try:
        asyncio.run(scenario())
    finally:
        with connection.cursor() as cursor:
            cursor.execute("drop table if exists early")


def test_the_columns_are_those_of_the_last_statement() -> None:
    async def scenario() -> None:
        asked = await direct.ask(
            ("select 1 as a, 2 as b", {}), ("select %(n)s::int as c", {"n": 3})
        )
        assert (asked.columns, asked.rows) == (("c",), [(3,)])
        with pytest.raises(psycopg.errors.DivisionByZero):
            await direct.ask(("select 1 as a", {}), ("select 1 / %(n)s::int as c", {"n": 0}))
        asked, kept = await direct.ask_early("select 4 as d, 5 as e", {})
        assert (asked.columns, asked.rows) == (("d", "e"), [(4, 5)])
        await kept

    asyncio.run(scenario())


def test_of_what_was_on_its_way_to_the_disk_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "ON_DISK", numbered("select pg_sleep(60)"))

    async def scenario() -> None:
        found, kept = await direct.ask_early(ASK, {"n": 1})
        mine = await direct._of_this_loop()
        next(one for one in mine.lines if one.length).close()
        assert found.rows[0][0] == 1
        with pytest.raises(psycopg.OperationalError):
            await kept

    asyncio.run(scenario())


def test_anybody_may_wait_for_the_disk() -> None:
    """Not superusers alone, who hosted databases have none of."""
    with connection.cursor() as cursor:
        cursor.execute("create role plain_person")
        try:
            cursor.execute("set role plain_person")
            cursor.execute(line.ON_DISK.query.decode())
        finally:
            cursor.execute("reset role")
            cursor.execute("drop role plain_person")
