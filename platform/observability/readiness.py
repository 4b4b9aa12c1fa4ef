"""What must be true before this process should get requests, each with a reason in plain words."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import redis
from django.apps import apps

from observability.db import connect_directly
from observability.draining import is_draining
from observability.heartbeats import seen

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Check:
    """One answer: `reason` is empty when all is well, and never holds a secret or an address."""

    name: str
    reason: str

    @property
    def is_ok(self) -> bool:
        return not self.reason


def check_readiness() -> list[Check]:
    """All checks, the cheap ones first. Takes 3 s at most, when servers do not answer."""
    if is_draining():
        return [Check("draining", "this process is stopping")]
    return [*_database(), *_processes()]


def _database() -> list[Check]:
    try:
        with connect_directly() as connection:
            connection.execute("set statement_timeout = '2s'")
            return [Check("postgres", ""), Check("migrations", _migrations(connection))]
    except psycopg.Error:
        unknown = Check("migrations", "unknown without Postgres")
        return [Check("postgres", "Postgres does not answer"), unknown]


def _processes() -> list[Check]:
    try:
        runner = "" if seen("runner") else "no runner has been seen in the last seconds"
    except redis.RedisError:
        unknown = Check("runner", "unknown without Redis")
        return [Check("redis", "Redis does not answer"), unknown]
    return [Check("redis", ""), Check("runner", runner)]


_known_complete: set[str] = set()


def _migrations(connection: Connection) -> str:
    """The answer "complete" is kept: it does not change while a process of this version lives."""
    name = connection.info.dbname
    if name in _known_complete:
        return ""
    missing = unapplied_migrations(connection)
    if missing:
        return f"{len(missing)} migrations have not run"
    _known_complete.add(name)
    return ""


def unapplied_migrations(connection: Connection) -> set[tuple[str, str]]:
    """Migrations that are on disk and not in the database.

    Names are compared only: importing every migration would cost each web process memory.
    """
    return migrations_on_disk() - _applied_migrations(connection)


def migrations_on_disk() -> set[tuple[str, str]]:
    """All that this version knows, as (app, name)."""
    return {
        (config.label, path.stem)
        for config in apps.get_app_configs()
        for path in _migration_files(config.name)
    }


def _applied_migrations(connection: Connection) -> set[tuple[str, str]]:
    try:
        rows = connection.execute("select app, name from django_migrations").fetchall()
    except psycopg.errors.UndefinedTable:
        return set()
    return {(str(app), str(name)) for app, name in rows}


def _migration_files(app: str) -> list[Path]:
    spec = find_spec(f"{app}.migrations")
    folders = (spec.submodule_search_locations or []) if spec else []
    return [path for folder in folders for path in Path(folder).glob("*.py") if path.stem[0] != "_"]
