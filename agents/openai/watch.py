"""Whoever loses the right to ask while an answer is written hears no more of it.

One query for all open answers of a process, every two seconds, as long as there are any.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from contextvars import Context
from typing import TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db.models import Q
from django.utils import timezone

from accounts.models import ApiToken
from agents.openai.callers import WRONG_KEY
from agents.openai.errors import ApiError
from observability.patience import run_patiently

T = TypeVar("T")
LOOK_SECONDS = 2.0


class Watch:
    """The tokens of open answers; belongs to one loop."""

    def __init__(self) -> None:
        self._open: dict[UUID, int] = {}
        self._refused: set[UUID] = set()
        self._task: asyncio.Task[None] | None = None

    async def over(self, token_id: UUID, parts: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """The parts for as long as the token is good; then ApiError, and nothing more upstream."""
        self._open[token_id] = self._open.get(token_id, 0) + 1
        if self._task is None or self._task.done():
            # In a context of its own: it outlives the request that happens to be the first.
            self._task = asyncio.get_running_loop().create_task(self._look(), context=Context())
        try:
            async with aclosing(parts):
                async for part in parts:
                    if token_id in self._refused:
                        raise ApiError(401, WRONG_KEY, code="invalid_api_key")
                    yield part
        finally:
            self._open[token_id] -= 1
            if not self._open[token_id]:
                del self._open[token_id]
                self._refused.discard(token_id)

    async def _look(self) -> None:
        while self._open:
            await asyncio.sleep(LOOK_SECONDS)
            looked_at = list(self._open)
            good = await run_patiently(find_good, looked_at)
            self._refused |= {token for token in looked_at if token not in good} & set(self._open)


def find_good(token_ids: Collection[UUID]) -> set[UUID]:
    """Those that may still be used."""
    in_time = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    usable = ApiToken.objects.filter(in_time, revoked_at=None, user__is_active=True)
    return set(usable.filter(pk__in=token_ids).values_list("pk", flat=True))


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = WeakKeyDictionary()


def current_watch() -> Watch:
    """The watch of the running loop."""
    return _watches.setdefault(asyncio.get_running_loop(), Watch())
