"""What a run writes down as it goes, so that whoever takes it up does nothing twice."""

from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

from agents.running.keeping import Past, Whose, load_past, store_begin, store_end, store_step
from agents.tools.results import Result
from agents.tools.types import Tool
from agents.types import AgentTask
from gateway.types import Completed, ToolCall
from observability.patience import run_patiently


class Ledger(Protocol):
    """Whatever returns is written."""

    async def past(self) -> Past: ...
    async def spoke(
        self, ordinal: int, text: str, calls: Sequence[ToolCall], done: Completed
    ) -> None: ...
    async def begins(
        self, call: ToolCall, tool: Tool, attempt: int, approval_id: UUID | None
    ) -> None: ...
    async def ended(
        self, call: ToolCall, tool: Tool | None, result: Result, took_ms: int
    ) -> None: ...


class Rows:
    """In Postgres. Only a run that has a turn can have been begun by somebody else."""

    def __init__(self, task: AgentTask, run_id: UUID) -> None:
        parent = task.caller.call_id if task.caller else ""
        self._whose = Whose(run_id, task.user.pk, task.agent.id, parent)
        self._may_be_begun = task.turn_id is not None

    async def past(self) -> Past:
        if not self._may_be_begun:
            return Past((), {})
        return await run_patiently(load_past, self._whose.run_id, self._whose.parent)

    async def spoke(
        self, ordinal: int, text: str, calls: Sequence[ToolCall], done: Completed
    ) -> None:
        await run_patiently(store_step, self._whose, ordinal, text, calls, done)

    async def begins(
        self, call: ToolCall, tool: Tool, attempt: int, approval_id: UUID | None
    ) -> None:
        named = _named(call, tool) | {"approval_id": approval_id}
        await run_patiently(store_begin, self._whose, call, named, attempt)

    async def ended(self, call: ToolCall, tool: Tool | None, result: Result, took_ms: int) -> None:
        await run_patiently(store_end, self._whose, call, _named(call, tool), result, took_ms)


def _named(call: ToolCall, tool: Tool | None) -> dict[str, Any]:
    if tool is None:
        return {"tool": call.name[:64], "server": "", "effect": ""}
    return {"tool": tool.name, "server": tool.server[:200], "effect": tool.effect.value}
