"""The word of a prompt comes up where it must not: the alarm, and the answer that is watched."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

from prometheus_client import Counter

from agents.authority.canaries import Watch, is_in, word_of
from agents.types import AgentTask, ReasoningDelta, TextDelta
from gateway.types import Completed
from observability.metrics import registry
from observability.patience import run_patiently
from security import audit
from security.acts import Act
from security.sentences import Sentence

Item = TypeVar("Item")

alarms = Counter(
    "parley_canary_alarms_total",
    "Answers and calls of tools in which the secret word of a prompt came up.",
    ["where"],
    registry=registry,
)


def canary_of(task: AgentTask) -> str:
    """The word of this agent's instructions."""
    return word_of(task.agent.instructions, str(task.agent.id))


async def is_leaking(task: AgentTask, arguments: str) -> bool:
    """Whether the arguments of a call hold it; that is told to the administrators."""
    if not is_in(canary_of(task), arguments):
        return False
    await raise_alarm(task, "arguments")
    return True


async def watched(
    task: AgentTask, items: AsyncGenerator[Item, None], notices: list[str]
) -> AsyncGenerator[Item, None]:
    """The same items. An answer in which the word comes up says so at its end."""
    watch = Watch(canary_of(task))
    async with aclosing(items):
        async for item in items:
            if isinstance(item, TextDelta | ReasoningDelta):
                is_new = watch.feed(item.text)
            else:
                is_new = isinstance(item, Completed) and watch.look()
            if is_new:
                notices.append(Sentence("canary_seen"))
                await raise_alarm(task, "answer")
            yield item


async def raise_alarm(task: AgentTask, where: str) -> None:
    alarms.labels(where).inc()
    await run_patiently(_record, task, where)


def _record(task: AgentTask, where: str) -> None:
    """By ids: nobody's words go into the audit log."""
    audit.record(
        Act.CANARY_SEEN,
        by=task.user,
        title=task.agent.name,
        where=where,
        agent=str(task.agent.id or ""),
        run=str(task.turn_id or ""),
    )
