"""Waiting for Postgres where giving up would lose something: words, a usage record, a search."""

import asyncio
import logging
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import psycopg
from django.db import Error

from observability.db import run_sync

P = ParamSpec("P")
T = TypeVar("T")

RETRY_SECONDS = 0.5
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


def is_away(error: BaseException | None) -> bool:
    """Whether a database error says that there is no connection, and nothing about the query."""
    cause = error.__cause__ if isinstance(error, Error) else error
    if not isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    state = cause.sqlstate
    return state is None or state.startswith("08") or state in AWAY
