"""A request handed to an ASGI application, and what it says as a response of Django's.

So that what the SDK serves has the house's middleware around it: hosts, headers, request ids, logs.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from observability.db import release_thread

Message = dict[str, Any]
Application = Callable[
    [Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]],
    Awaitable[None],
]
EVENTS = "text/event-stream"
STREAMED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class NoAnswer(Exception):
    """The application ended without a word."""


class Exchange:
    """One request under way, in a task of its own; `close` ends it. Belongs to one loop."""

    def __init__(self, application: Application, scope: Message, body: bytes) -> None:
        self._loop = asyncio.get_running_loop()
        self._body: bytes | None = body
        self._parts: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._head: asyncio.Future[Message] = self._loop.create_future()
        self._task = self._loop.create_task(self._run(application, scope))

    async def response(self) -> HttpResponseBase:
        """As soon as it begins; raises what the application raised before, and NoAnswer."""
        try:
            head = await self._head
            headers = {name.decode(): value.decode("latin-1") for name, value in head["headers"]}
            kind = headers.get("content-type", "")
            if kind.startswith(EVENTS):
                return self._streamed(kind)
            body = b"".join([part async for part in self._said()])
        except BaseException:
            await self.close()
            raise
        return HttpResponse(body, status=head["status"], headers=_kept(headers))

    def _streamed(self, kind: str) -> StreamingHttpResponse:
        response = StreamingHttpResponse(self._events(), content_type=kind, headers=STREAMED)
        # The body of a response that is never read never begins, and cannot close what it reads.
        response._resource_closers.append(self._close_soon)  # type: ignore[attr-defined]
        return response

    async def _events(self) -> AsyncGenerator[bytes, None]:
        await release_thread()
        async for part in self._said():
            yield part

    async def _said(self) -> AsyncGenerator[bytes, None]:
        try:
            while (part := await self._parts.get()) is not None:
                if part:
                    yield part
        finally:
            await self.close()

    async def close(self) -> None:
        """Ends the application and waits until it has ended."""
        self._task.cancel()
        await asyncio.wait([self._task])

    def _close_soon(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._task.cancel)

    async def _run(self, application: Application, scope: Message) -> None:
        try:
            await application(scope, self._receive, self._send)
        except Exception as error:
            if self._head.done():
                raise
            self._head.set_exception(error)
        finally:
            if not self._head.done():
                self._head.set_exception(NoAnswer())
            self._head.exception()  # looked at: a client that has gone reads it no more
            self._parts.put_nowait(None)

    async def _receive(self) -> Message:
        """The body, whole; then nothing, until the application is cancelled."""
        if self._body is None:
            await asyncio.Event().wait()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._head.set_result(message)
        elif message["type"] == "http.response.body":
            self._parts.put_nowait(message.get("body", b""))
            if not message.get("more_body", False):
                self._parts.put_nowait(None)


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    """Without what the server says itself of connection and length."""
    own = {name: headers[name] for name in ("content-type", "allow") if name in headers}
    return {**own, "Cache-Control": "no-store"}
