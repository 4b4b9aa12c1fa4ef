"""Looks again, for all that follow in this process together, whether they are still allowed."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

from chat.live.visitors import Visitor, find_forbidden, find_signed_out
from observability.db import run_sync

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.5
ACT_SECONDS = 0.3  # a client that reads nothing may not hold up the next look


class Guarded(Protocol):
    """What the guard knows of a socket or an event stream and may do to it."""

    visitor: Visitor

    def followed(self) -> set[UUID]: ...

    async def turn_out(self) -> None: ...

    async def forbid(self, stream_id: UUID) -> None: ...


class Guard:
    """A few queries every 1.5 s, however many sockets there are; none while there is no socket."""

    def __init__(self) -> None:
        self._sockets: set[Guarded] = set()
        self._acts: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None

    def watch(self, socket: Guarded) -> None:
        self._sockets.add(socket)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep_looking(), name="guard")

    def leave(self, socket: Guarded) -> None:
        self._sockets.discard(socket)

    async def _keep_looking(self) -> None:
        while self._sockets:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Exception:
                log.exception("open sockets were not checked; trying again")

    async def look(self) -> None:
        """Turn out whoever is signed out, and stop what may not be followed any more."""
        sockets = list(self._sockets)
        signed_out = await run_sync(find_signed_out, {socket.visitor for socket in sockets})
        following = {
            (socket.visitor.user_id, stream) for socket in sockets for stream in socket.followed()
        }
        forbidden = await run_sync(find_forbidden, following) if following else set()
        acts = [socket.turn_out() for socket in sockets if socket.visitor in signed_out] + [
            socket.forbid(stream)
            for socket in sockets
            if socket.visitor not in signed_out
            for stream in socket.followed()
            if (socket.visitor.user_id, stream) in forbidden
        ]
        if acts:
            await asyncio.wait([self._begin(act) for act in acts], timeout=ACT_SECONDS)

    def _begin(self, act: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """What is begun is done: a socket half turned out would stay open, in silence."""
        task = asyncio.create_task(act)
        self._acts.add(task)
        task.add_done_callback(self._acts.discard)
        return task


_guards: WeakKeyDictionary[asyncio.AbstractEventLoop, Guard] = WeakKeyDictionary()


def current_guard() -> Guard:
    """The guard of the running event loop."""
    return _guards.setdefault(asyncio.get_running_loop(), Guard())
