"""The word of a prompt comes up where it must not: the alarm, and the answer that is watched."""

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from typing import TypeVar
from uuid import UUID

from prometheus_client import Counter

from agents.authority.canaries import Watch, is_in, word_of
from agents.authority.markers import markers_beside, refresh_markers
from agents.types import (
    AgentTask,
    AttachmentsRead,
    PackedPassage,
    ReasoningDelta,
    RetrievalCompleted,
    TextDelta,
    ToolCompleted,
)
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


def has_canary(task: AgentTask, tools: Iterable[object] = ()) -> bool:
    """Whether the prompt has a word: where an author's instructions could leak, or tools be handed
    anything. What a program orders is its own."""
    ordered = "\n\n".join(task.orders)
    is_own = task.agent.instructions.strip() not in ("", ordered.strip())
    return is_own or any(True for _ in tools)


async def leak_in(task: AgentTask, arguments: str) -> str:
    """Why these arguments of a call may not leave, as a code of a sentence: they hold the word of
    the agent's instructions or of a collection. That is told to the administrators."""
    if is_in(canary_of(task), arguments):
        await raise_alarm(task, "arguments")
        return "canary_in_arguments"
    for collection, word in (await run_patiently(refresh_markers)).items():
        if is_in(word, arguments):
            await raise_alarm(task, "arguments", collection)
            return "marker_in_arguments"
    return ""


async def watched(
    task: AgentTask,
    items: AsyncGenerator[Item, None],
    notices: list[str],
    passages: Sequence[PackedPassage] = (),
) -> AsyncGenerator[Item, None]:
    """The same items. An answer in which the word comes up, or the marker of what was read, says so
    at its end."""
    own = Watch(canary_of(task))
    watches = {None: own} | _watches_of(passages)
    async with aclosing(items):
        async for item in items:
            if isinstance(item, ToolCompleted | RetrievalCompleted | AttachmentsRead):
                watches = _watches_of(item.passages) | watches
            for collection, watch in watches.items():
                if isinstance(item, TextDelta | ReasoningDelta):
                    is_new = watch.feed(item.text)
                else:
                    is_new = isinstance(item, Completed) and watch.look()
                if is_new:
                    notices.append(Sentence("marker_seen" if collection else "canary_seen"))
                    await raise_alarm(task, "answer", collection)
            yield item


def _watches_of(passages: Iterable[PackedPassage]) -> dict[UUID | None, Watch]:
    return {pk: Watch(word) for pk, word in markers_beside(passages).items()}


async def raise_alarm(task: AgentTask, where: str, collection: UUID | None = None) -> None:
    alarms.labels(where).inc()
    await run_patiently(_record, task, where, collection)


def _record(task: AgentTask, where: str, collection: UUID | None) -> None:
    """By ids: nobody's words go into the audit log."""
    audit.record(
        Act.COLLECTION_CANARY_SEEN if collection else Act.CANARY_SEEN,
        by=task.user,
        title=task.agent.name,
        where=where,
        agent=str(task.agent.id or ""),
        run=str(task.turn_id or ""),
        collection=str(collection or ""),
    )
