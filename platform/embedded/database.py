"""Getting an empty Postgres ready for migrations."""

from collections.abc import Mapping

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from embedded.errors import StartupError

CONNECT_SECONDS = 5


def ensure_database(url: str) -> None:
    """Create the database that `url` names, and its vector extension, where they are missing.

    Raises `StartupError` when the server cannot be reached or refuses.
    """
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError as problem:
        raise StartupError(
            "DATABASE_URL is not a Postgres address. "
            "It looks like postgresql://user:password@host:5432/parley"
        ) from problem
    try:
        connection = _connect(url)
    except psycopg.OperationalError as problem:
        if "does not exist" not in str(problem) or "database" not in str(problem):
            raise StartupError(_unreachable(parts, problem)) from problem
        _create(url, str(parts.get("dbname")))
        connection = _connect(url)
    with connection:
        _ensure_vector(connection)


def _connect(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(url, autocommit=True, connect_timeout=CONNECT_SECONDS)


def _create(url: str, name: str) -> None:
    """Made from template0: then its encoding is ours, whatever the server's default is."""
    try:
        with _connect(make_conninfo(url, dbname="postgres")) as maintenance:
            maintenance.execute(
                sql.SQL("create database {} encoding 'UTF8' template template0").format(
                    sql.Identifier(name)
                )
            )
    except psycopg.errors.DuplicateDatabase:
        return  # another process was faster
    except psycopg.Error as problem:
        raise StartupError(
            f"The database {name} does not exist and could not be created: {_first_line(problem)} "
            f"Create it with `createdb {name}`, then start again."
        ) from problem


def _ensure_vector(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    try:
        connection.execute("create extension if not exists vector")
    except psycopg.Error as problem:
        raise StartupError(
            f"The extension pgvector cannot be made in this database: {_first_line(problem)} "
            "Install pgvector 0.8 or later on the server and run `create extension vector` there."
        ) from problem


def _unreachable(parts: Mapping[str, object], problem: psycopg.OperationalError) -> str:
    where = f"{parts.get('host') or 'localhost'}, database {parts.get('dbname') or '?'}"
    return (
        f"Postgres cannot be reached ({where}): {_first_line(problem)} "
        "Correct DATABASE_URL, or unset it to use the embedded Postgres."
    )


def _first_line(problem: Exception) -> str:
    """The server's own words; never the address, which may hold a password."""
    line = str(problem).strip().splitlines()[0] if str(problem).strip() else type(problem).__name__
    return line.rstrip(".") + "."
