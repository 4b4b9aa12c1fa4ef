"""What a run writes down as it goes, so that whoever takes it up does nothing twice."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Protocol
from uuid import UUID

from accounts.models import User
from agents.guardrails.answering import as_shown
from agents.running.keeping import (
    Past,
    Whose,
    load_past,
    set_aside,
    store_begin,
    store_end,
    store_step,
    take_back_begin,
)
from agents.running.notes import Note, are_waiting, notes_of, take
from agents.running.opening import as_json, runs_before
from agents.tools.results import Result
from agents.tools.types import Taint, Tool
from agents.types import AgentTask
from agents.types.openings import Opening
from gateway.types import Completed, ToolCall
from observability.patience import run_patiently

Taints = Collection[Taint]


class Ledger(Protocol):
    """Whatever returns is written."""

    async def past(self) -> Past: ...
    async def spoke(
        self, ordinal: int, text: str, calls: Sequence[ToolCall], done: Completed
    ) -> None: ...
    async def begins(
        self,
        call: ToolCall,
        tool: Tool,
        attempt: int,
        approval_id: UUID | None,
        taints: Taints = (),
    ) -> None: ...
    async def waits(self, call: ToolCall) -> None: ...
    async def pauses(self, call: ToolCall) -> None: ...
    async def ended(
        self, call: ToolCall, tool: Tool | None, result: Result, took_ms: int, taints: Taints = ()
    ) -> None: ...
    async def is_spoken_to(self) -> bool: ...
    async def hears(self, step: int) -> Sequence[Note]: ...


class Rows:
    """In Postgres. Only a run that has a turn can have been begun by somebody else."""

    def __init__(self, task: AgentTask, run_id: UUID, opening: Opening) -> None:
        parent = task.caller.call_id if task.caller else ""
        self._whose = Whose(run_id, task.user.pk, task.agent.id, parent, task.fence)
        self._may_be_begun = task.turn_id is not None
        is_handed = task.caller is not None and task.caller.is_handed
        self._hears = task.fence is not None and (is_handed or not parent)
        # Notes are kept by the steps of all who write the answer, one after the other.
        self._before = task.caller.steps if task.caller and is_handed else 0
        self._opening = as_json(opening)
        self._task = task

    async def past(self) -> Past:
        """With the runs that this one goes on from, if it does."""
        if not self._may_be_begun:
            return Past()
        whose, user = self._whose, self._task.user
        past = await run_patiently(load_past, whose.run_id, whose.parent, user)
        if self._hears and whose.parent and past.steps:
            past = replace(past, notes=await run_patiently(notes_of, whose.run_id, self._before))
        if self._task.after is None or whose.parent:
            return past
        return replace(past, before=await run_patiently(load_before, self._task.after, user))

    async def spoke(
        self, ordinal: int, text: str, calls: Sequence[ToolCall], done: Completed
    ) -> None:
        opening = self._opening if ordinal == 1 else None
        shown = await as_shown(self._task.guard, text) if self._hears else text
        await run_patiently(
            store_step, self._whose, ordinal, text, calls, done,
            shown="" if shown == text else shown, opening=opening,
        )  # fmt: skip

    async def begins(
        self,
        call: ToolCall,
        tool: Tool,
        attempt: int,
        approval_id: UUID | None,
        taints: Taints = (),
    ) -> None:
        named = _named(call, tool, taints) | {"approval_id": approval_id}
        await run_patiently(store_begin, self._whose, call, named, attempt)

    async def waits(self, call: ToolCall) -> None:
        """It was begun and not made: whoever takes it up begins it, and repeats nothing."""
        await run_patiently(take_back_begin, self._whose, call)

    async def pauses(self, call: ToolCall) -> None:
        """What it began waits for the person: it goes on where that is, by the yes it has."""
        await run_patiently(set_aside, self._whose, call)

    async def ended(
        self, call: ToolCall, tool: Tool | None, result: Result, took_ms: int, taints: Taints = ()
    ) -> None:
        named = _named(call, tool, taints)
        await run_patiently(store_end, self._whose, call, named, result, took_ms)

    async def is_spoken_to(self) -> bool:
        return self._hears and await run_patiently(
            are_waiting, self._whose.run_id, self._whose.owner_id
        )

    async def hears(self, step: int) -> Sequence[Note]:
        whose = self._whose
        if not self._hears or whose.fence is None:
            return ()
        step += self._before
        return await run_patiently(take, whose.run_id, whose.owner_id, whose.fence, step)


def load_before(run_id: UUID | None, user: User) -> tuple[Past, ...]:
    """A run that a limit ended, behind all that it went on from itself."""
    return tuple(load_past(one, user=user) for one in runs_before(run_id))


def _named(call: ToolCall, tool: Tool | None, taints: Taints) -> dict[str, Any]:
    given = {"input_taints": sorted(one.value for one in taints)}
    if tool is None:
        return {"tool": call.name[:64], "server": "", "effect": "", **given}
    return {"tool": tool.name, "server": tool.server[:200], "effect": tool.effect.value, **given}
