"""Ending asyncio tasks for certain."""

import asyncio
from collections.abc import Iterable
from typing import Any

PATIENCE_SECONDS = 0.5


async def cancel_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel and wait until all are done; a library that swallows a cancellation gets another."""
    pending = {task for task in tasks if not task.done()}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=PATIENCE_SECONDS)
