"""Chunks on their way to a client: everything that is there goes out in one write.

The source runs in a task of its own, so what an endpoint sent at once leaves at once, however many
chunks that were; when the client has gone, the task ends and with it the call upstream.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

MOST_BYTES = 256 * 1024  # waiting for the client; then the source waits too


class Pump:
    """Call `take` until it returns nothing; `close` ends the source at any time.

    Belongs to the loop that it was made in.
    """

    def __init__(self, source: AsyncGenerator[bytes, None]) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._ready = asyncio.Event()
        self._room = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._run(source))
        self._task.add_done_callback(self._ended)

    async def take(self) -> bytes:
        """All there is, as soon as there is something; raises what the source raised, once what it
        said before is taken."""
        await self._ready.wait()
        if self._parts:
            taken = b"".join(self._parts)
            self._parts.clear()
            self._size = 0
            self._room.set()
            if not self._task.done():
                self._ready.clear()
            return taken
        self._task.result()
        return b""

    async def has_begun(self, seconds: float) -> bool:
        """Wait until there is something to take, or an error to raise; raises it here if nothing
        was said before."""
        try:
            async with asyncio.timeout(seconds):
                await self._ready.wait()
        except TimeoutError:
            return False
        if self._task.done() and not self._parts:
            self._task.result()
        return True

    async def close(self) -> None:
        """Ends the source and waits until it has ended."""
        self._task.cancel()
        await asyncio.wait([self._task])

    def close_soon(self) -> None:
        """The same from any thread, without waiting."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._task.cancel)

    async def _run(self, source: AsyncGenerator[bytes, None]) -> None:
        async with aclosing(source):
            async for part in source:
                self._parts.append(part)
                self._size += len(part)
                self._ready.set()
                while self._size > MOST_BYTES:
                    self._room.clear()
                    await self._room.wait()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._ready.set()
        if not task.cancelled():
            task.exception()  # looked at: a client that has gone reads it no more
