"""A model writes queries: one call with a deadline, and none where it may not or cannot help."""

import asyncio
import logging
from collections.abc import Collection
from contextlib import aclosing
from dataclasses import dataclass

from django.conf import settings

from agents.types import AgentTask, Chat, Trouble
from agents.understanding.prompting import request_for
from agents.understanding.replies import queries_in
from gateway.labels import labels_of
from gateway.types import OFFLINE, Completed, EndpointSwitched, FindRoutes, TextDelta
from knowledge.retrieval.types import Query
from knowledge.retrieval.understanding import LONGEST
from knowledge.switches import BY_MODEL, Switch

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """Queries by `model`; or none, and what went wrong."""

    queries: tuple[Query, ...] = ()
    model: str = ""
    trouble: Trouble = ""


def wanted_of(task: AgentTask, switches: Collection[Switch]) -> frozenset[Switch]:
    """What a model is to write for this question."""
    if not task.question or len(task.question) > LONGEST:
        return frozenset()
    wanted = BY_MODEL & frozenset(switches)
    return wanted if task.history else wanted - {Switch.STANDALONE}


async def write_queries(
    task: AgentTask, wanted: frozenset[Switch], chat: Chat, routes: FindRoutes
) -> Written:
    """Whatever goes wrong, the search goes on without."""
    if not wanted:
        return Written()
    labels = labels_of(task.demands)
    if not any(labels <= route.labels for route in await routes(task.agent.model_name)):
        return Written(trouble="unavailable")
    try:
        async with asyncio.timeout(settings.PARLEY_UNDERSTANDING_SECONDS):
            said, model = await _ask(task, wanted, chat)
    except TimeoutError:
        return Written(trouble="late")
    except Exception as error:  # noqa: BLE001 - an answer never fails for want of a query
        log.info("no queries were written: %s", type(error).__name__)
        return Written(trouble="unavailable")
    queries = tuple(queries_in(said, wanted))
    if not model:
        return Written(trouble="unavailable")
    return Written(queries, model) if queries else Written(model=model, trouble="nonsense")


async def _ask(task: AgentTask, wanted: frozenset[Switch], chat: Chat) -> tuple[str, str]:
    """What is said and by which model; by none where the offline answerer stands in."""
    said: list[str] = []
    async with aclosing(chat(request_for(task, wanted))) as items:
        async for item in items:
            match item:
                case TextDelta(text):
                    said.append(text)
                case EndpointSwitched() if item.switched_to == OFFLINE:
                    return "", ""
                case Completed():
                    return "".join(said), "" if item.is_offline else item.model
    return "", ""
