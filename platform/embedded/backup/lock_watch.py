"""How long migrations keep others out of tables: seen from a second connection."""

import threading
import time
from dataclasses import dataclass
from typing import Self

import psycopg

EVERY_SECONDS = 0.005
KEEPS_OUT = {
    "AccessExclusiveLock": "reads and writes",
    "ExclusiveLock": "writes",
    "ShareRowExclusiveLock": "writes",
    "ShareLock": "writes",
}
TABLES = """
    select c.oid, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public' and c.relkind in ('r', 'p')
"""
HELD = """
    select relation, mode from pg_locks
    where granted and relation = any(%s) and mode = any(%s) and pid <> pg_backend_pid()
      and database = (select oid from pg_database where datname = current_database())
"""


@dataclass(frozen=True)
class Held:
    """The longest time one lock on a table was held; `keeps_out` is what waits for it."""

    table: str
    keeps_out: str
    seconds: float


class LockWatch:
    """Looks every 5 ms, inside `with`, at locks on the tables that were there at its beginning."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True, connect_timeout=5)
        self._tables: dict[int, str] = dict(self._connection.execute(TABLES).fetchall())
        self._since: dict[tuple[int, str], float] = {}
        self._longest: dict[tuple[str, str], float] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="lock-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._end.set()
        self._thread.join()
        self._note(set(), time.monotonic())
        self._connection.close()

    def report(self) -> list[Held]:
        """The longest first."""
        found = [Held(table, what, seconds) for (table, what), seconds in self._longest.items()]
        return sorted(found, key=lambda held: -held.seconds)

    def _watch(self) -> None:
        while not self._end.wait(EVERY_SECONDS):
            rows = self._connection.execute(HELD, [list(self._tables), list(KEEPS_OUT)]).fetchall()
            self._note({(int(row[0]), str(row[1])) for row in rows}, time.monotonic())

    def _note(self, held: set[tuple[int, str]], now: float) -> None:
        for lock in held:
            self._since.setdefault(lock, now)
        for lock in [*self._since.keys() - held]:
            table, mode = lock
            key = (self._tables[table], KEEPS_OUT[mode])
            took = now - self._since.pop(lock)
            self._longest[key] = max(self._longest.get(key, 0.0), took)
