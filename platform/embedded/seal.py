"""Around the ASGI application, for two things Daphne does not do.

An exception after the response has begun would leave the client hanging and kill Daphne's
one-second checker for the life of the process; and there is no way to wait for the requests in
progress before stopping. (Found in daphne 4.2.3: `handle_exception` starts a second response.)
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)
NOT_RESUMED = ("/v1/", "/mcp")  # streams of others' protocols: to be cut is to be lost
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]


@dataclass(eq=False)
class Exchange:
    """One HTTP request in progress."""

    task: "asyncio.Task[Any] | None"
    may_resume: bool = True
    is_started: bool = False
    is_ended: bool = False
    is_stream: bool = False

    def watch(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.is_started = True
            self.is_stream = self.may_resume and any(
                name.lower() == b"content-type" and value.startswith(b"text/event-stream")
                for name, value in message.get("headers", [])
            )
        elif message["type"] == "http.response.body":
            self.is_ended |= not message.get("more_body", False)


class Sealed:
    """The application, with every response ended properly and every request counted."""

    def __init__(self, application: Application) -> None:
        self.application = application
        self.exchanges: set[Exchange] = set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        exchange = Exchange(asyncio.current_task(), not scope["path"].startswith(NOT_RESUMED))
        self.exchanges.add(exchange)

        async def watched_send(message: Message) -> None:
            exchange.watch(message)
            await send(message)

        try:
            await self.application(scope, receive, watched_send)
        except Exception:
            if not exchange.is_started:
                raise  # Daphne answers 500 properly here
            log.exception("response_broke_off: %s", scope["path"])
        finally:
            self.exchanges.discard(exchange)
            if exchange.is_started and not exchange.is_ended:
                await send({"type": "http.response.body", "body": b""})

    async def finish(self, seconds: float) -> None:
        """Wait for the requests in progress, then end the event streams: their clients resume
        (those of /v1 and /mcp cannot, and are waited for)."""
        deadline = asyncio.get_running_loop().time() + seconds
        while any(not exchange.is_stream for exchange in self.exchanges):
            if asyncio.get_running_loop().time() > deadline:
                break
            await asyncio.sleep(0.02)
        streams = [exchange.task for exchange in self.exchanges if exchange.task]
        for task in streams:
            task.cancel()
        if streams:
            await asyncio.wait(streams, timeout=2)
