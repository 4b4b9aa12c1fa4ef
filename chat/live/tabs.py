"""Keeps the open tabs of a process in step: hears notices and hands each to those it is for."""

import asyncio
import logging
from typing import Any, NamedTuple, Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

from django import db

from chat.live.audience import readers_of
from chat.live.visitors import Visitor
from events.hub import current_hub
from observability.db import run_sync

log = logging.getLogger(__name__)

GATHER_SECONDS = 0.1  # notices that come together are looked up together
HELD = 1000  # beyond that they are dropped: a page is read anew when somebody looks at it


class Tab(Protocol):
    """What the board knows of a socket."""

    visitor: Visitor

    async def tell(self, what: str, conversation: str | None, turn: str | None) -> None: ...


class Board:
    """All tabs of one event loop that want to hear of changes."""

    def __init__(self) -> None:
        self._tabs: set[Tab] = set()
        self._heard: list[dict[str, Any]] = []
        self._task: asyncio.Task[None] | None = None

    def watch(self, tab: Tab) -> None:
        self._tabs.add(tab)
        current_hub().attend(self._hear)

    def leave(self, tab: Tab) -> None:
        self._tabs.discard(tab)

    def _hear(self, message: dict[str, Any]) -> None:
        if not self._tabs or len(self._heard) >= HELD:
            return
        self._heard.append(message)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._pass_on(), name="tabs")

    async def _pass_on(self) -> None:
        while self._heard:
            await asyncio.sleep(GATHER_SECONDS)
            heard, self._heard = self._heard, []
            try:
                await self._tell(heard)
            except db.Error as error:
                log.warning("%s notices were not passed on: %s", len(heard), error)

    async def _tell(self, heard: list[dict[str, Any]]) -> None:
        people = {tab.visitor.user_id for tab in self._tabs}
        open_ids = {UUID(item["conversation"]) for item in heard if not item["people"]}
        readers = await run_sync(readers_of, open_ids, people) if open_ids else {}
        for notice in _distinct(heard):
            meant = notice.people or readers.get(UUID(notice.conversation or ""), set())
            for tab in list(self._tabs):
                if tab.visitor.user_id in meant:
                    await tab.tell(notice.what, notice.conversation, notice.turn)


class Notice(NamedTuple):
    what: str
    conversation: str | None
    turn: str | None
    people: frozenset[UUID]


def _distinct(heard: list[dict[str, Any]]) -> list[Notice]:
    """In their order, each once."""
    notices = (
        Notice(it["what"], it["conversation"], it["turn"], frozenset(map(UUID, it["people"])))
        for it in heard
    )
    return list(dict.fromkeys(notices))


_boards: WeakKeyDictionary[asyncio.AbstractEventLoop, Board] = WeakKeyDictionary()


def current_board() -> Board:
    """The board of the running event loop."""
    return _boards.setdefault(asyncio.get_running_loop(), Board())
