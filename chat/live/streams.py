"""Events over HTTP: server-sent events whose `id:` is the sequence number (WHATWG HTML, 9.2).

Call these after the caller's right to the stream was checked; the guard looks again while it runs.
The database connection of the request is given back before the first byte.
"""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import orjson
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import get_language

from accounts.models import User
from chat.live.guard import current_guard
from chat.live.visitors import Visitor
from chat.visibility import Screen
from events.hub import Subscription, current_hub
from events.types import CannotReplay, EventRow
from observability.db import release_thread

HEARTBEAT_SECONDS = 15.0
RETRY_MILLISECONDS = 1000


def event_stream(
    user: User, visitor: Visitor, stream_id: UUID, after: int = 0
) -> StreamingHttpResponse:
    """Events of a turn or job after `after`, ending with the one that closes it.

    One `reload` event ends it early: for a position that the log does not know, and within two
    seconds after the visitor lost the right to follow.
    """
    return StreamingHttpResponse(
        _body(Screen(user, get_language()), visitor, stream_id, after),
        content_type="text/event-stream; charset=utf-8",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def position_of(request: HttpRequest, after: int = 0) -> int:
    """Where a client wants to go on: a reconnecting browser says so in `Last-Event-ID`."""
    last = request.headers.get("Last-Event-ID", "").strip()
    return int(last) if last.isascii() and last.isdigit() and len(last) < 10 else after


class Follower:
    """One response, as the guard sees it: events until the stream is over or the guard says no."""

    def __init__(self, screen: Screen, visitor: Visitor, subscription: Subscription) -> None:
        self.visitor = visitor
        self._screen = screen
        self._subscription = subscription
        self._is_out = False

    def followed(self) -> set[UUID]:
        return {self._subscription.stream_id}

    async def turn_out(self) -> None:
        self._is_out = True
        self._subscription.tail.is_over = True  # ends the wait for events
        self._subscription.wake()

    async def forbid(self, stream_id: UUID) -> None:
        await self.turn_out()

    async def parts(self) -> AsyncIterator[bytes]:
        """The body, with a sign of life while there is nothing to tell. Raises CannotReplay."""
        yield f"retry: {RETRY_MILLISECONDS}\n\n".encode()
        while not self._is_out:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    rows = await self._subscription.batch()
            except TimeoutError:
                yield b": still here\n\n"
                continue
            if self._is_out or not rows:
                break
            if shown := await self._screen.let_through(rows):
                yield b"".join(map(_render, shown))
        if self._is_out:
            raise CannotReplay


async def _body(
    screen: Screen, visitor: Visitor, stream_id: UUID, after: int
) -> AsyncIterator[bytes]:
    await release_thread()
    subscription = current_hub().subscribe(stream_id, after)
    follower = Follower(screen, visitor, subscription)
    current_guard().watch(follower)
    try:
        async for part in follower.parts():
            yield part
    except CannotReplay:
        yield b"event: reload\ndata: {}\n\n"
    finally:
        current_guard().leave(follower)
        subscription.close()


def _render(row: EventRow) -> bytes:
    data = orjson.dumps(row.payload)
    number = b"" if row.is_aside else b"id: %d\n" % row.seq
    return b"%sevent: %s\ndata: %s\n\n" % (number, row.kind.encode(), data)
