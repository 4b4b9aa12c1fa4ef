"""Citations made beside the words of an answer: no word waits until its evidence is located."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from agents.citations import Claim
from agents.evidence import Evidence
from agents.types import CitationAdded


class Citing:
    """Claims go in as they are made, citations come out in their order when they are ready.

    One task works on all claims that wait, so that they share their queries and batches; leaving
    the context ends it.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._waiting: list[Claim] = []
        self._ready: list[CitationAdded] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def add(self, claims: Sequence[Claim]) -> None:
        self._waiting.extend(claims)
        self._go_on()

    def ready(self) -> list[CitationAdded]:
        """Those made since the last call; raises what went wrong with the others."""
        if self._task is not None and self._task.done():
            task, self._task = self._task, None
            task.result()
        ready, self._ready = self._ready, []
        return ready

    async def rest(self) -> list[CitationAdded]:
        """All that are still to be made."""
        self._go_on()
        while self._task is not None:
            await self._task
            self._task = None
            self._go_on()
        return self.ready()

    def _go_on(self) -> None:
        """Begin again with what came in after the last look of a task that has ended."""
        if self._waiting and (self._task is None or self._task.done()):
            if self._task is not None:
                self._task.result()
            self._task = asyncio.create_task(self._work(), name="citations")

    async def _work(self) -> None:
        while self._waiting:
            claims, self._waiting = self._waiting, []
            found = await self._evidence.for_claims(claims)
            self._ready.extend(found)  # the list of now: `ready` took the one of before
