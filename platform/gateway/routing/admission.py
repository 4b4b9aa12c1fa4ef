"""The door of an endpoint: as many requests at once as it takes, over all processes.

Each request holds a lease in Redis that expires when its process dies. Where none is free, requests
wait, and accounts take turns. One task for each door asks for all that wait in one round trip;
while Redis is away the limit holds within each process. Of an endpoint that is half free each
process has a lease or two in stock for a few seconds, so that who comes next waits for no round
trip.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from gateway.errors import EndpointBusy
from gateway.routing import shared as sharing
from gateway.routing.fair_queue import FairQueue
from gateway.routing.health import Health
from gateway.routing.shared import Shared
from security.sentences import Sentence

FIRST_POLL, LONGEST_POLL = 0.02, 0.25  # seconds between questions for a lease of other processes
MOST_SPARE, SPARE_SHARE = 2, 32  # leases in stock, and the parallel requests that each takes
USED_WITHIN = sharing.SPARE_SECONDS * 0.8

Waiting = asyncio.Future[str]
_numbers = count(1)


class Gate:
    """The parallel requests of one endpoint on one event loop; `limit` 0 is no limit.

    Without a `shared` state it counts for itself alone.
    """

    def __init__(
        self,
        key: Any,
        health: Health,
        shared: Shared | None,
        release: Callable[[Any, str], None],
    ) -> None:
        self.limit = 0
        self._key = key
        self._health = health
        self._shared = shared
        self._release = release
        self._held: set[str] = set()
        self._queue: FairQueue[Waiting] = FairQueue()
        self._freed = asyncio.Event()
        self._pumping: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._stock: deque[tuple[str, float]] = deque()  # spare leases, and until when
        self._taken: dict[str, float] = {}  # from the stock, which Redis is to be told of
        self._told: list[str] = []  # of them, those that it is being told of
        self._stocking: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def slot(self, account: Hashable, patience: float) -> AsyncIterator[None]:
        """Wait for one of the parallel requests; EndpointBusy when none comes free in time."""
        lease = await self._enter(account, patience)
        try:
            yield
        finally:
            self._leave(lease)

    def close(self) -> None:
        """Nobody renews from now on: what is still held ends by itself."""
        for task in (self._pumping, self._renewing, self._stocking):
            if task is not None:
                task.cancel()

    async def _enter(self, account: Hashable, patience: float) -> str:
        if (self._shared is None or not self.limit) and not len(self._queue) and self._room():
            return self._take()
        if not len(self._queue) and self._room() and (spare := self._from_stock()):
            return self._take(spare)
        waiting: Waiting = asyncio.get_running_loop().create_future()
        self._queue.push(account, waiting)
        if self._pumping is None:
            self._pumping = asyncio.create_task(self._pump(), name="endpoint-queue")
        try:
            async with asyncio.timeout(patience):
                return await waiting
        except TimeoutError as error:
            if _is_let_in(waiting):
                return waiting.result()  # in the very last moment
            self._queue.remove(account, waiting)
            raise EndpointBusy(_busy(patience)) from error
        except asyncio.CancelledError:
            self._queue.remove(account, waiting)
            if _is_let_in(waiting):
                self._leave(waiting.result())
            raise

    def _leave(self, lease: str) -> None:
        self._held.discard(lease)
        self._health.in_flight = max(0, self._health.in_flight - 1)
        self._freed.set()
        if lease in self._taken:
            self._stock.append((lease, self._taken.pop(lease)))
        elif self._shared is not None and self.limit and lease not in self._told:
            self._release(self._key, lease)

    def _from_stock(self) -> str | None:
        """A lease that was granted in advance; another one is asked for beside."""
        while self._stock:
            name, until = self._stock.popleft()
            if until > time.monotonic():
                self._taken[name] = until
                if self._stocking is None:
                    self._stocking = asyncio.create_task(self._restock(), name="endpoint-stock")
                return name
        return None

    async def _restock(self) -> None:
        """Tell Redis what was taken, and ask for as many again."""
        try:
            while self._taken:
                self._told, self._taken = list(self._taken), {}
                await self._acquire([], len(self._queue), taken=self._told)
                told, self._told = self._told, []
                for name in told:
                    if name not in self._held:  # it ended meanwhile
                        self._release(self._key, name)
        finally:
            self._stocking = None

    async def _acquire(
        self, names: Sequence[str], waiting: int, *, taken: Sequence[str] = ()
    ) -> int:
        """How many of the names are granted: all where nobody can tell. What is to spare is kept in
        stock."""
        assert self._shared is not None
        missing = min(MOST_SPARE, self.limit // SPARE_SHARE) - len(self._stock)
        spares, until = [self._name() for _ in range(missing)], time.monotonic() + USED_WITHIN
        answer = await self._shared.acquire(
            self._key, self.limit, names, waiting, taken=taken, spares=spares
        )
        granted, kept = (len(names), 0) if answer is None else answer
        self._stock.extend((name, until) for name in spares[:kept])
        return granted

    async def _pump(self) -> None:
        """Hand out what is free for as long as somebody waits."""
        poll = FIRST_POLL
        try:
            while len(self._queue):
                self._freed.clear()
                if await self._hand_out():
                    poll = FIRST_POLL
                    continue
                try:
                    async with asyncio.timeout(poll * random.uniform(0.5, 1)):  # noqa: S311
                        await self._freed.wait()
                except TimeoutError:
                    poll = min(poll * 2, LONGEST_POLL)
        finally:
            self._pumping = None

    async def _hand_out(self) -> bool:
        """Whether everybody who asked has been let in."""
        self._health.waiting = waiting = len(self._queue)
        wanted = max(0, min(waiting, self._room()))
        names = [self._name() for _ in range(wanted)]
        granted = wanted
        if self._shared is not None and self.limit:
            # Also when there is no room here: the others are to know who waits.
            granted = await self._acquire(names, waiting)
        for name in names[:granted]:
            self._let_in(name)
        return 0 < wanted == granted

    def _let_in(self, name: str) -> None:
        """The next of those who still wait; a lease that nobody wants any more goes back."""
        while len(self._queue):
            waiting = self._queue.pop()
            if not waiting.done():
                waiting.set_result(self._take(name))
                return
        if self._shared is not None:
            self._release(self._key, name)

    def _take(self, name: str = "") -> str:
        name = name or self._name()
        self._held.add(name)
        self._health.in_flight += 1
        if self._shared is not None and self._renewing is None:
            self._renewing = asyncio.create_task(self._renew(), name="endpoint-leases")
        return name

    async def _renew(self) -> None:
        """Keep the leases of long answers alive, also through a Redis that was away or is new."""
        try:
            while self._held:
                await asyncio.sleep(sharing.LEASE_SECONDS / 3)
                if self._held and self._shared is not None and not self._shared.is_away:
                    await self._shared.renew(self._key, list(self._held))
        finally:
            self._renewing = None

    def _room(self) -> int:
        return self.limit - len(self._held) if self.limit else sharing.UNBOUNDED

    def _name(self) -> str:
        process = self._shared.process if self._shared is not None else ""
        return f"{process}:{next(_numbers)}"


def _is_let_in(waiting: Waiting) -> bool:
    return waiting.done() and not waiting.cancelled()


def _busy(patience: float) -> Sentence:
    return Sentence("no_free_request", n=max(1, round(patience)))
