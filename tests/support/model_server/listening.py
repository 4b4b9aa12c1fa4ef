"""The socket, its thread and its connections."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from tests.support.model_server.scripts import Captured
from tests.support.model_server.wire import (
    Cut,
    Disconnected,
    read_request,
)


class Listener:
    """One socket, in a thread of its own; counts what it saw and what clients abandoned."""

    def __init__(self, port: int = 0, ssl_context: ssl.SSLContext | None = None) -> None:
        self._ssl = ssl_context
        self._port = port
        self.requests: list[Captured] = []
        self.disconnects = 0
        self.open_connections = 0
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="model-server", daemon=True)
        self._ready = threading.Event()

    async def _answer(
        self, request: Captured, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        raise NotImplementedError

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def port(self) -> int:
        return self._port

    def wait_for(self, condition: Callable[[Self], bool], timeout: float = 5.0) -> bool:
        """Wait until the condition over this server holds; false when it never did."""
        with self._changed:
            return self._changed.wait_for(lambda: condition(self), timeout)

    def start(self) -> Self:
        self._thread.start()
        self._ready.wait(5)
        return self

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(5)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        server = await asyncio.start_server(
            self._accept, "127.0.0.1", self._port, backlog=512, ssl=self._ssl
        )
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        server.close()
        while self._tasks or self._writers:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            for writer in self._writers:  # of those that came in the last moment
                writer.transport.abort()
            self._writers.clear()
            await asyncio.sleep(0.01)  # for the sockets to be closed, and the tasks forgotten

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        task = asyncio.ensure_future(self._converse(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _note(self, **changes: int) -> None:
        with self._changed:
            for name, by in changes.items():
                setattr(self, name, getattr(self, name) + by)
            self._changed.notify_all()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._note(open_connections=1)
        try:
            while (request := await read_request(reader)) is not None:
                with self._changed:
                    self.requests.append(request)
                    self._changed.notify_all()
                await self._answer(request, reader, writer)
        except (Disconnected, ConnectionError):
            self._note(disconnects=1)
        except Cut:
            pass
        finally:
            self._note(open_connections=-1)
            writer.close()
            self._writers.discard(writer)
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()
