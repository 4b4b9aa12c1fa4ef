"""Whole databases on one server: made beside the real one, put in its place, dropped."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from embedded.backup.errors import BackupError
from embedded.backup.tools import database_name
from embedded.database import ensure_database

MARK = "_scratch_"
LONGEST_NAME = 63
Maintenance = psycopg.Connection[tuple[Any, ...]]


def with_name(url: str, name: str) -> str:
    """The same server, another database; both as an address with a scheme, as settings want it."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()


@contextmanager
def scratch_database(url: str) -> Iterator[str]:
    """An empty database beside the one at `url`, dropped at the end unless it took its place.

    Those that a killed process left behind are dropped first.
    """
    own = database_name(url)
    name = f"{own[: LONGEST_NAME - len(MARK) - 8]}{MARK}{secrets.token_hex(4)}"
    with _maintenance(url) as connection:
        for leftover in _leftovers(connection, own):
            _drop(connection, leftover)
    scratch = with_name(url, name)
    try:
        ensure_database(scratch)
        yield scratch
    finally:
        with _maintenance(url) as connection:
            _drop(connection, name)


def is_empty(url: str) -> bool:
    """Whether there is no table in it, or no such database at all."""
    if not _exists(url):
        return True
    with psycopg.connect(url, connect_timeout=5) as connection:
        row = connection.execute(
            "select not exists (select from pg_class c join pg_namespace n "
            "on n.oid = c.relnamespace where n.nspname = 'public' and c.relkind in ('r', 'p'))"
        ).fetchone()
    return bool(row and row[0])


def count_sessions(url: str) -> int:
    """Connections of others to this database: somebody is at work there."""
    with _maintenance(url) as connection:
        row = connection.execute(
            "select count(*) from pg_stat_activity where datname = %s "
            "and backend_type = 'client backend' and pid <> pg_backend_pid()",
            [database_name(url)],
        ).fetchone()
    return int(row[0]) if row else 0


def swap(url: str, scratch: str) -> None:
    """Put `scratch` in the place of the database at `url`, in one transaction; drop the old one."""
    name, new = database_name(url), database_name(scratch)
    old = f"{new}_old"[-LONGEST_NAME:]
    rename = sql.SQL("alter database {} rename to {}")
    has_old = _exists(url)
    with _maintenance(url) as connection:
        try:
            with connection.transaction():
                if has_old:
                    connection.execute(rename.format(sql.Identifier(name), sql.Identifier(old)))
                connection.execute(rename.format(sql.Identifier(new), sql.Identifier(name)))
        except psycopg.Error as problem:
            raise BackupError(
                f"The restored database could not take its place: {problem.diag.message_primary}. "
                "Nothing was changed. Stop whatever uses it, then try again."
            ) from problem
        if has_old:
            _drop(connection, old)


def _exists(url: str) -> bool:
    with _maintenance(url) as connection:
        return bool(
            connection.execute(
                "select from pg_database where datname = %s", [database_name(url)]
            ).rowcount
        )


def _leftovers(connection: Maintenance, own: str) -> list[str]:
    rows = connection.execute(
        "select datname from pg_database d where starts_with(datname, %s) and not exists "
        "(select from pg_stat_activity a where a.datname = d.datname)",
        [own[: LONGEST_NAME - len(MARK) - 8] + MARK],
    )
    return [str(name) for (name,) in rows]


def _drop(connection: Maintenance, name: str) -> None:
    connection.execute(
        sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name))
    )


@contextmanager
def _maintenance(url: str) -> Iterator[Maintenance]:
    """A connection to the server's own database: one cannot rename the one one is in."""
    try:
        connection = psycopg.connect(
            make_conninfo(url, dbname="postgres"), autocommit=True, connect_timeout=5
        )
    except psycopg.OperationalError as problem:
        raise BackupError(
            f"Postgres cannot be reached: {str(problem).strip().splitlines()[-1]} "
            "Correct DATABASE_URL, or start the server."
        ) from problem
    with connection:
        yield connection
