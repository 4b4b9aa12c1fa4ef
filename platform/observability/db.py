"""Database connections outside the usual path of a request."""

from collections.abc import Callable
from functools import cache
from typing import Any, ParamSpec, TypeVar

import psycopg
from asgiref.sync import SyncToAsync, sync_to_async
from django.db import connection, connections

from observability.lanes import Lane

P = ParamSpec("P")
T = TypeVar("T")

SHARED_THREADS = 5  # with the lanes of a runner they stay below the default pool of connections


async def run_sync(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run one sync function with database work in a thread of the lane that everybody shares."""
    return await _shared().run(function, *args, **kwargs)


@cache
def _shared() -> Lane:
    return Lane("database", SHARED_THREADS)


async def release_thread() -> None:
    """Give back what a request holds that will only wait from now on: its database connection, and
    the thread that Django keeps for it, which costs a megabyte. The next use makes new ones."""
    await sync_to_async(connections.close_all)()
    context = SyncToAsync.thread_sensitive_context.get(None)
    executor = SyncToAsync.context_to_thread_executor.pop(context, None) if context else None
    if executor is not None:
        executor.shutdown(wait=False)


def connect_directly(connect_timeout: int = 2) -> "psycopg.Connection[tuple[Any, ...]]":
    """A connection of one's own, past the pool, for `with`: it commits each statement.

    For probes, which must tell "Postgres is down" from "the pool is busy", and for locks that are
    held for as long as a process works. Raises `psycopg.OperationalError`.
    """
    params = connection.get_connection_params() | {
        "connect_timeout": connect_timeout,
        "cursor_factory": psycopg.Cursor,
    }
    return psycopg.connect(**params, autocommit=True)
