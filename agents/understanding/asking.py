"""From a question to one search: its queries, its filters, and a step that says so."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from accounts.time_zones import time_zone_of
from agents.history import asked_before
from agents.types import AgentTask, Chat, QueryRewritten
from agents.understanding.writing import Written, wanted_of, write_queries
from gateway.types import FindRoutes
from knowledge.glossary.selectors import find_entries
from knowledge.retrieval.understanding import Understood, understand
from knowledge.switches import Switch
from observability.patience import run_patiently

Entries = Sequence[Sequence[str]]
ReadGlossary = Callable[[User, str, Sequence[UUID] | None], Awaitable[Entries]]


async def read_glossary(user: User, text: str, collections: Sequence[UUID] | None) -> Entries:
    return await run_patiently(find_entries, user, text, collections)


async def understand_question(
    task: AgentTask,
    collections: Sequence[UUID] | None,
    chat: Chat,
    routes: FindRoutes,
    *,
    read: ReadGlossary = read_glossary,
) -> tuple[Understood, QueryRewritten | None]:
    """What to search for, and the step that tells it where it is more than the question alone.

    Where nothing is searched, nothing is switched on, or no glossary is there, nobody is asked.
    """
    began = time.perf_counter()
    switches = task.switches if collections != [] else frozenset()
    reads = task.has_glossary and Switch.GLOSSARY in switches and bool(task.question)
    wanted = wanted_of(task, switches)
    entries: Entries = ()
    written = Written()
    if reads or wanted:
        async with asyncio.TaskGroup() as together:
            writing = together.create_task(write_queries(task, wanted, chat, routes))
            if reads:
                said = "\n".join([*asked_before(task.history)[-1:], task.question])
                entries = await read(task.user, said, collections)
        written = writing.result()
    found = understand(
        task.question,
        asked_before(task.history),
        switches,
        _now(task.user),
        entries=entries,
        without=task.without,
    ).with_more(written.queries)
    if found.is_plain and not written.trouble:
        return found, None
    took_ms = (time.perf_counter() - began) * 1000
    return found, QueryRewritten(
        found.queries, found.recognised, took_ms, written.model, written.trouble
    )


def _now(user: User) -> datetime:
    return datetime.now(time_zone_of(user) or timezone.get_default_timezone())
