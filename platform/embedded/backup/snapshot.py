"""One moment of a database that others go on writing to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from embedded.backup.errors import BackupError
from embedded.backup.manifest import Table

Connection = psycopg.Connection[tuple[Any, ...]]
LOCK_WAIT = "10s"
SAME_TEXT_EVERYWHERE = (
    "set timezone = 'UTC'; set datestyle = 'ISO'; set intervalstyle = 'iso_8601'; "
    "set bytea_output = 'hex'; set extra_float_digits = 1; set statement_timeout = 0; "
    "set idle_in_transaction_session_timeout = 0"
)
LIST_TABLES = """
    select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind = 'r' order by c.relname
"""
# A sum does not depend on the order of rows, and md5 is the same on every machine and version.
MEASURE = """
    select count(*),
           coalesce(sum(('x' || substr(md5(t::text), 1, 16))::bit(64)::bigint::numeric), 0)::text
    from only public.{table} t
"""


@dataclass(frozen=True)
class Snapshot:
    """A read-only transaction; `name` lets pg_dump see exactly the same rows."""

    connection: Connection
    name: str

    @property
    def server_major(self) -> int:
        return self.connection.info.server_version // 10000

    def database_bytes(self) -> int:
        row = self.connection.execute("select pg_database_size(current_database())").fetchone()
        return int(row[0]) if row else 0

    def has_table(self, name: str) -> bool:
        row = self.connection.execute("select to_regclass(%s) is not null", [name]).fetchone()
        return bool(row and row[0])

    def stream(self, query: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a large result, without ever holding all of them."""
        with self.connection.cursor(name="parts") as cursor:
            cursor.itersize = 2000
            yield from cursor.execute(query)


@contextmanager
def snapshot(url: str, lock: int) -> Iterator[Snapshot]:
    """A moment of the database, after everybody who holds the advisory `lock` shared is done.

    The lock is held until the block ends: who would remove something that the snapshot still
    names tries to share it first. The lock comes before the snapshot, never after.
    """
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        connection.execute(SAME_TEXT_EVERYWHERE)
        _lock(connection, lock)
        connection.execute("begin transaction isolation level repeatable read, read only")
        row = connection.execute("select pg_export_snapshot()").fetchone()
        assert row is not None
        yield Snapshot(connection, row[0])
        connection.execute("commit")


def _lock(connection: Connection, lock: int) -> None:
    """Removing a file takes milliseconds, so who keeps us waiting is another backup."""
    connection.execute(f"set lock_timeout = '{LOCK_WAIT}'")
    try:
        connection.execute("select pg_advisory_lock(%s)", [lock])
    except psycopg.errors.LockNotAvailable as problem:
        raise BackupError("Another backup is being made. Wait until it is done.") from problem
    connection.execute("set lock_timeout = 0")


def measure_tables(connection: Connection) -> Iterator[tuple[str, Table]]:
    """Rows and digest of every table. Reads the whole database once."""
    for (name,) in connection.execute(LIST_TABLES).fetchall():
        query = sql.SQL(MEASURE).format(table=sql.Identifier(name))
        row = connection.execute(query).fetchone()
        assert row is not None
        yield name, Table(rows=row[0], digest=row[1])


def measure_database(url: str) -> dict[str, Table]:
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        connection.execute(SAME_TEXT_EVERYWHERE)
        return dict(measure_tables(connection))
