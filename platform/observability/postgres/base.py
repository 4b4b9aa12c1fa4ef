"""Django's backend for Postgres, whose pool knows a living connection without asking it.

A connection that Postgres has ended can be read from: nothing else comes unasked. So a look at the
socket stands for the round trip that Django's own check costs before every use; that one is made
for a connection that nobody looked at for a while, for networks that swallow an end.
"""

import select
import time
from collections.abc import Callable
from typing import Any

import psycopg
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from psycopg_pool import ConnectionPool

from observability.postgres.prepared import PreparedCursor

ASKED_AFTER_SECONDS = 5.0

Connection = psycopg.Connection[tuple[Any, ...]]


def check(connection: Connection) -> None:
    """Raises psycopg.OperationalError for a connection that cannot be used any more."""
    now = time.monotonic()
    asked_at: float = getattr(connection, "asked_at", 0.0)
    if now - asked_at > ASKED_AFTER_SECONDS or _has_news(connection):
        ConnectionPool.check_connection(connection)
        connection.asked_at = now  # type: ignore[attr-defined]


def _has_news(connection: Connection) -> bool:
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


class DatabaseWrapper(base.DatabaseWrapper):
    _connection_pools: dict[str, ConnectionPool[Any]]  # Django's own, of all connections
    _configure_connection: Callable[[Connection], Any]

    @property
    def pool(self) -> Any:
        """As Django makes it, but for the check."""
        options = self.settings_dict["OPTIONS"].get("pool")
        is_missing = self.alias not in self._connection_pools and self.alias != NO_DB_ALIAS
        if options and is_missing:
            made = ConnectionPool(
                kwargs=self.get_connection_params() | {"autocommit": True},
                open=False,
                configure=self._configure_connection,
                check=check,
                **options,
            )
            self._connection_pools.setdefault(self.alias, made)
        return super().pool

    def prepared_cursor(self) -> CursorWrapper:
        """A cursor whose statements are planned once a connection (`prepared`)."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        wrap: Callable[..., CursorWrapper] = self._prepare_cursor  # type: ignore[attr-defined]
        return wrap(PreparedCursor(self.connection))
