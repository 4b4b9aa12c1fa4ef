"""One connection pool per event loop, made on first use and closed on shutdown.

Nothing exists at import: a pool belongs to the loop it was made in and does not survive a fork.
"""

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp

from gateway.routing.board import close_board
from gateway.upstream.dialect import Quirk
from gateway.upstream.pace import Pace
from security.outbound.connecting import guarded_connector, open_session
from security.outbound.policy import operator_policy

KEEPALIVE_SECONDS = 60
READ_BUFFER = 128 * 1024  # bytes per stream before the socket is paused


class Pool:
    """The connections of one loop, and what was learned of the servers behind them."""

    def __init__(self) -> None:
        self.http = open_session(
            guarded_connector(operator_policy(), limit=0, keepalive_timeout=KEEPALIVE_SECONDS),
            timeout=aiohttp.ClientTimeout(total=None),  # gateway.upstream.call watches each phase
            read_bufsize=READ_BUFFER,
            auto_decompress=True,
        )
        self.pace = Pace()
        self.quirks: dict[tuple[str, str], set[Quirk]] = {}
        # Of words, and by address: gateway.upstream.tokenizer and gateway.upstream.resolving.
        self.tokens: dict[tuple[str, str, str], Any] = {}
        self.adapters: dict[str, tuple[float, tuple[Any, ...]]] = {}


_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, Pool] = WeakKeyDictionary()


def current_pool() -> Pool:
    """The pool of the running loop."""
    loop = asyncio.get_running_loop()
    pool = _pools.get(loop)
    if pool is None or pool.http.closed:
        pool = _pools[loop] = Pool()
    return pool


async def close_pool() -> None:
    """Close the running loop's connections; a later call opens a new pool."""
    await close_board()
    pool = _pools.pop(asyncio.get_running_loop(), None)
    if pool is not None:
        await pool.http.close()
