"""Which turns take along what is remembered about the person who asks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from accounts.models import User
from agents.memory.selectors import choose, recall
from agents.memory.services import remembers
from agents.types import AgentTask, Recollection
from chat.turns.types import TurnWork

Row = Mapping[str, Any]


def with_memories(works: Sequence[TurnWork], rows: Sequence[Row]) -> list[TurnWork]:
    """The works, those with memory among them with what is known; one query, none without them.

    A temporary conversation neither reads nor writes memory, and neither does one of somebody
    else: its owner would read in the answer what is known about the guest.
    """
    told = {row["id"]: row for row in rows}
    with_memory = {
        work.task.user.pk for work in works if _has_memory(work, told[work.claim.stream_id])
    }
    known = recall(with_memory) if with_memory else {}
    return [
        replace(work, task=_told(work.task, known))
        if _has_memory(work, told[work.claim.stream_id])
        else work
        for work in works
    ]


def _has_memory(work: TurnWork, row: Row) -> bool:
    is_own = row["conversation_owner_id"] == work.task.user.pk
    return remembers(work.task.user) and is_own and not row["is_temporary"]


def _told(task: AgentTask, known: Mapping[UUID, Sequence[Recollection]]) -> AgentTask:
    return replace(
        task,
        has_memory=True,
        may_notice=task.user.memory == User.Memory.NOTICED and not _is_kept_apart(task),
        memories=choose(known.get(task.user.pk, ()), task.question),
    )


def _is_kept_apart(task: AgentTask) -> bool:
    """What was said under a label would be told to endpoints without it in the next conversation.

    What the person's teams demand is demanded there too.
    """
    return any(demand.kind != "team" for demand in task.demands)
