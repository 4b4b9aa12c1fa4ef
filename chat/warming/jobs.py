"""The job that asks in advance. It asks as the person who asked last: of what they may see now,
on their account, within their budgets; the answer is found again by whoever has the same rights.
"""

import asyncio
import logging
from contextlib import aclosing

from django.db import close_old_connections

from accounts.models import Membership
from agents.loop import run_agent
from agents.memory.selectors import choose, recall
from agents.memory.services import remembers
from agents.selectors import agent_spec
from agents.types import AgentTask
from chat.warming.frequent import Frequent, list_frequent
from events.context import JobContext
from gateway.errors import GatewayError
from gateway.labels import LabelUnmet
from gateway.upstream.session import close_pool

log = logging.getLogger(__name__)

WARM = "chat.warming.jobs.warm_caches"


def warm_caches(context: JobContext, days: int, least: int, most: int) -> None:
    """What is in a cache already is only found there; run again, it costs next to nothing."""
    questions = list(list_frequent(days, least, most))
    for number, question in enumerate(questions):
        context.progress("asking", number, len(questions))
        try:
            asyncio.run(_ask(_task(question)))
        except (GatewayError, LabelUnmet) as error:
            log.warning("a frequent question has no answer in advance: %s", error)
        close_old_connections()
    context.progress("asking", len(questions), len(questions))


def _task(asked: Frequent) -> AgentTask:
    user = asked.user
    known = recall({user.pk}).get(user.pk, ()) if remembers(user) else ()
    return AgentTask(
        agent=agent_spec(asked.agent),
        user=user,
        question=asked.question,
        memories=choose(known, asked.question),
        team_ids=tuple(Membership.objects.filter(user=user).values_list("team_id", flat=True)),
        purpose="other",
    )


async def _ask(task: AgentTask) -> None:
    try:
        async with aclosing(run_agent(task)) as steps:
            async for _step in steps:
                pass
    finally:
        await close_pool()
