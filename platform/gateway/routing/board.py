"""What this event loop knows of every endpoint, and how it tells the other processes.

A decision reads memory alone: what others found out is asked for in the background, at most twice
a second. The end of a call is written in the background too, all that ended meanwhile in one
pipeline with the reading.
"""

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

from gateway.errors import GatewayError
from gateway.routing import state
from gateway.routing.admission import Gate
from gateway.routing.health import BREAKING, TRIAL_SECONDS, WINDOW_SECONDS, Health
from gateway.routing.shared import Shared
from gateway.routing.strategies import endpoint_key
from gateway.types import Route
from observability.redis_line import Command

REMEMBERED_SECONDS = 0.5
CLOSING_SECONDS = 1.0
MOST_UNTOLD = 1000  # leases to give back when Redis returns; older ones have run out


class Board:
    """Health and gates of one event loop."""

    def __init__(self) -> None:
        self.health: dict[Any, Health] = {}
        self.shared = Shared()
        self._gates: dict[Any, Gate] = {}
        self._looked_at = 0.0
        self._changed: set[UUID] = set()
        self._recovered: set[UUID] = set()
        self._failures: list[tuple[UUID, float, GatewayError]] = []
        self._released: list[tuple[UUID, str]] = []
        self._syncing: asyncio.Task[None] | None = None

    def look(self, routes: Iterable[Route]) -> dict[Any, Health]:
        """Every route's endpoint is in it; asks Redis in the background when that is due."""
        for route in routes:
            key = endpoint_key(route)
            if key not in self.health:
                self.health[key] = Health()
        if time.monotonic() - self._looked_at > REMEMBERED_SECONDS and self._shared_ids():
            self._sync_soon()
        return self.health

    def gate(self, route: Route) -> Gate:
        """Where calls to the endpoint wait for one of its parallel requests."""
        key = endpoint_key(route)
        gate = self._gates.get(key)
        if gate is None:
            shared = self.shared if route.endpoint_id else None
            health = self.health.setdefault(key, Health())
            gate = self._gates[key] = Gate(key, health, shared, self._release)
        gate.limit = route.max_concurrency
        return gate

    async def may_try(self, route: Route) -> bool:
        """False when the breaker is half open and another call tries the endpoint already."""
        health = self.health[endpoint_key(route)]
        now = time.time()
        if health.breaker(now) != "half_open":
            return True
        health.trial_until = now + TRIAL_SECONDS
        return route.endpoint_id is None or await self.shared.claim(
            route.endpoint_id, TRIAL_SECONDS
        )

    def succeeded(
        self, route: Route, first_token_ms: float | None, tokens_per_second: float | None
    ) -> None:
        health = self.health[endpoint_key(route)]
        if health.reopens_at and route.endpoint_id is not None:
            self._recovered.add(route.endpoint_id)
        health.succeeded(time.time(), first_token_ms, tokens_per_second)
        self._note(route.endpoint_id)

    def failed(self, route: Route, error: GatewayError) -> None:
        now = time.time()
        self.health[endpoint_key(route)].failed(now, error)
        if route.endpoint_id is not None:
            self._failures.append((route.endpoint_id, now, error))
            self._note(route.endpoint_id)

    async def close(self) -> None:
        """Write what is left, but not for long: leases would end by themselves."""
        for gate in self._gates.values():
            gate.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                while self._syncing is not None:
                    await asyncio.shield(self._syncing)
        self.shared.close()

    def _release(self, key: Any, lease: str) -> None:
        self._released.append((key, lease))
        self._sync_soon()

    def _note(self, endpoint_id: UUID | None) -> None:
        if endpoint_id is not None:
            self._changed.add(endpoint_id)
            self._sync_soon()

    def _shared_ids(self) -> list[UUID]:
        return [key for key in self.health if isinstance(key, UUID)]

    def _sync_soon(self) -> None:
        if self._syncing is None:
            self._syncing = asyncio.create_task(self._sync(), name="endpoint-state")

    async def _sync(self) -> None:
        """Write what has changed, and read when it is due, until nothing is left to write."""
        try:
            while True:
                await self._exchange()
                if not (self._changed or self._released) or self.shared.is_away:
                    return
        finally:
            self._syncing = None

    async def _exchange(self) -> None:
        now = time.time()
        released, changed = self._released[-MOST_UNTOLD:], self._changed
        commands = self._take_writes()
        seen = self._due()
        for endpoint_id in seen:
            commands += state.reads(endpoint_id, now)
        answers = await self.shared.execute(commands) if commands else []
        if answers is None:  # what was not told is told with the next end of a call
            self._released += released
            self._changed |= changed
        else:
            self._adopt(seen, answers[len(answers) - state.READS * len(seen) :], now)

    def _take_writes(self) -> list[Command]:
        commands: list[Command] = [
            ("ZREM", state.key(endpoint_id, "leases"), lease)
            for endpoint_id, lease in self._released
        ]
        for endpoint_id in self._recovered:
            commands += state.closing(endpoint_id)
        for endpoint_id in self._changed:
            name, numbers = state.key(endpoint_id), state.numbers_of(self.health[endpoint_id])
            commands.append(("HSET", name, *chain.from_iterable(numbers.items())))
            commands.append(("EXPIRE", name, state.KEPT_SECONDS))
        for failure in self._failures:
            commands += _failure(*failure)
        self._released, self._failures = [], []
        self._changed, self._recovered = set(), set()
        return commands

    def _due(self) -> list[UUID]:
        """Endpoints to be read again now."""
        if time.monotonic() - self._looked_at <= REMEMBERED_SECONDS:
            return []
        self._looked_at = time.monotonic()
        return self._shared_ids()

    def _adopt(self, ids: list[UUID], answers: list[Any], now: float) -> None:
        for n, endpoint_id in enumerate(ids):
            if endpoint_id in self._changed:
                continue  # we know better by now
            health = self.health[endpoint_id]
            was_closed = not health.reopens_at
            state.adopt(health, answers[state.READS * n : state.READS * (n + 1)], now)
            if was_closed and health.reopens_at:
                self._changed.add(endpoint_id)  # the failures of all processes opened it


def _failure(endpoint_id: UUID, at: float, error: GatewayError) -> list[Command]:
    lines, failures = state.key(endpoint_id, "errors"), state.key(endpoint_id, "failures")
    commands: list[Command] = [
        ("LPUSH", lines, state.error_line(at, error.type, str(error))),
        ("LTRIM", lines, 0, state.KEPT_ERRORS - 1),
        ("EXPIRE", lines, state.KEPT_SECONDS),
    ]
    if isinstance(error, BREAKING):
        commands += [
            ("ZADD", failures, at, f"{at}:{id(error)}"),
            ("ZREMRANGEBYSCORE", failures, "-inf", at - WINDOW_SECONDS),
            ("EXPIRE", failures, round(WINDOW_SECONDS * 2)),
        ]
    return commands


_boards: WeakKeyDictionary[asyncio.AbstractEventLoop, Board] = WeakKeyDictionary()


def current_board() -> Board:
    """The board of the running loop; made at first use."""
    loop = asyncio.get_running_loop()
    board = _boards.get(loop)
    if board is None:
        board = _boards[loop] = Board()
    return board


async def close_board() -> None:
    """Let go of what the running loop holds; a later call makes a new board."""
    board = _boards.pop(asyncio.get_running_loop(), None)
    if board is not None:
        await board.close()
