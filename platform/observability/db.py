"""Database connections outside the usual path of a request."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from typing import Any, ParamSpec, TypeVar

import psycopg
from asgiref.sync import SyncToAsync, sync_to_async
from django.db import connection, connections
from django.utils.translation import activate, deactivate_all, get_language

P = ParamSpec("P")
T = TypeVar("T")

SHARED_THREADS = 6  # with the lanes of a runner they stay below the default pool of connections


class Lane:
    """A few threads for database work of coroutines; what waits in one lane delays no other.

    Channels and asgiref would give all coroutines outside HTTP requests one thread, or each call a
    new one. A connection goes back to the pool after each call, so none is held while a coroutine
    waits for something else.
    """

    def __init__(self, name: str, threads: int) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix=name)

    async def run(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a sync function here; the language and other context of the caller come along.

        asgiref would hide from the thread the language that came with the context.
        """
        context, language = copy_context(), get_language()

        def speaking() -> T:
            activate(language) if language else deactivate_all()
            return _closing(function, *args, **kwargs)

        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, context.run, speaking)


async def run_sync(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run one sync function with database work in a thread of the lane that everybody shares."""
    return await _shared().run(function, *args, **kwargs)


@cache
def _shared() -> Lane:
    return Lane("database", SHARED_THREADS)


def _closing(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return function(*args, **kwargs)
    finally:
        connections.close_all()


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
