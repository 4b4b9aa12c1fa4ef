"""Waiting for Postgres where giving up would lose something: words, a usage record, a search."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import psycopg
from django.db import Error, connection

from observability.db import run_sync

P = ParamSpec("P")
T = TypeVar("T")

RETRY_SECONDS = 0.5
MOST_SECONDS = 60.0  # a thread is not kept for longer
# Shutting down, crashed, starting (57P01 to 57P03), and no connection to spare (53300).
AWAY = frozenset({"57P01", "57P02", "57P03", "53300"})

log = logging.getLogger(__name__)


async def run_patiently(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """What `run_sync` does, again and again while Postgres is away.

    For what may be done twice: the answer to a commit can be lost with the connection.
    """
    while True:
        try:
            return await run_sync(function, *args, **kwargs)
        except Error as error:
            if not is_away(error):
                raise
            log.warning("%s waits for Postgres: %s", function.__name__, error)
            await asyncio.sleep(RETRY_SECONDS)


def call_patiently(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """The same for code in threads, for a minute; each new try has a new connection."""
    deadline = time.monotonic() + MOST_SECONDS
    while True:
        try:
            return function(*args, **kwargs)
        except Error as error:
            if not is_away(error) or connection.in_atomic_block or time.monotonic() > deadline:
                raise
            log.warning("%s waits for Postgres: %s", function.__name__, error)
            connection.close()
            time.sleep(RETRY_SECONDS)


def is_away(error: BaseException | None) -> bool:
    """Whether a database error says that there is no connection, and nothing about the query."""
    cause = error.__cause__ if isinstance(error, Error) else error
    if not isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    state = cause.sqlstate
    return state is None or state.startswith("08") or state in AWAY
