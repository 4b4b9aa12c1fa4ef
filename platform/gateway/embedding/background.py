"""An event loop for threads: what they ask of the gateway shares connections, doors and batches."""

import asyncio
import atexit
import os
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import wait
from contextlib import suppress
from typing import Any, TypeVar

from gateway.upstream.session import close_pool

T = TypeVar("T")

CLOSING_SECONDS = 3.0
LOOK_SECONDS = 1.0

_lock = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}  # by process: threads do not survive a fork


def run(coroutine: Coroutine[Any, Any, T], look: Callable[[], None] | None = None) -> T:
    """The result of a coroutine, for code in a thread; stopped with it when the wait is.

    `look` is called every second meanwhile, and ends the wait by raising.
    """
    future = asyncio.run_coroutine_threadsafe(coroutine, _running_loop())
    try:
        while look is not None and not wait([future], LOOK_SECONDS).done:
            look()
        return future.result()
    finally:
        future.cancel()


def _running_loop() -> asyncio.AbstractEventLoop:
    with _lock:
        loop = _loops.get(os.getpid())
        if loop is None:
            loop = _loops[os.getpid()] = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="gateway-loop", daemon=True).start()
            atexit.register(_stop, loop, os.getpid())
        return loop


def _stop(loop: asyncio.AbstractEventLoop, process: int) -> None:
    if process == os.getpid():
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(close_pool(), loop).result(CLOSING_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
