"""One connection pool per event loop, made on first use and closed on shutdown.

Nothing exists at import: a pool belongs to the loop it was made in and does not survive a fork.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

import aiohttp

from gateway.errors import EndpointTimeout
from gateway.routing.board import close_board
from gateway.types import Route
from gateway.upstream.dialect import Quirk
from security.outbound.connecting import guarded_connector, open_session
from security.outbound.policy import operator_policy

KEEPALIVE_SECONDS = 60
READ_BUFFER = 128 * 1024  # bytes per stream before the socket is paused


class Pool:
    """The connections of one loop, and how many calls each endpoint has open."""

    def __init__(self) -> None:
        self.http = open_session(
            guarded_connector(operator_policy(), limit=0, keepalive_timeout=KEEPALIVE_SECONDS),
            timeout=aiohttp.ClientTimeout(total=None),  # gateway.upstream.call watches each phase
            read_bufsize=READ_BUFFER,
            auto_decompress=True,
        )
        self.quirks: dict[tuple[str, str], set[Quirk]] = {}
        self.tokens: dict[tuple[str, str, str], Any] = {}  # of words: gateway.upstream.tokenizer
        self._slots: dict[tuple[str, int], asyncio.Semaphore] = {}

    @asynccontextmanager
    async def slot(self, route: Route) -> AsyncIterator[None]:
        """Wait for one of the endpoint's parallel requests; EndpointTimeout when none frees up."""
        if not route.max_concurrency:
            yield
            return
        key = (route.base_url, route.max_concurrency)
        semaphore = self._slots.setdefault(key, asyncio.Semaphore(route.max_concurrency))
        try:
            async with asyncio.timeout(route.timeouts.first_token):
                await semaphore.acquire()
        except TimeoutError as error:
            raise EndpointTimeout() from error
        try:
            yield
        finally:
            semaphore.release()


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
