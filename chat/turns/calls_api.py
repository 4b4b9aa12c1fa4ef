"""What the tools of an answer were given and gave back, for the person who asked."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest
from ninja import Router, Schema
from pydantic import ConfigDict, Field

from accounts.callers import READ_OR_CHAT, caller
from agents.models import ToolExecution
from chat.models import Turn
from security.reading import reading_as

router = Router(tags=["Conversations"])
MOST = 200


class ToolCallOut(Schema):
    call_id: str = Field(description="As the events of the turn name it.")
    parent: str = Field(
        description="The call of another agent in which it was made; empty: the answer's own."
    )
    agent: str = Field(description="Whose run it is of, by name; empty: one that is gone.")
    tool: str
    server: str = Field(description="Whose tool it is; empty: of this installation.")
    effect: str = Field(description="`none`, `reads`, `changes` or `sends`.")
    status: str = Field(
        description="`running`, `done`, `refused`, `failed`, `late` (took too long), `denied` or "
        "`stopped` (the answer ended before it)."
    )
    arguments: str = Field(description="JSON, as the model wrote it.")
    output: str = Field(description="The whole result, or why there is none.")
    data: dict[str, Any] = Field(description="What is drawn of it, where it has more than words.")
    input_taints: list[str] = Field(
        description="What its run had come upon when it was made: `private`, `untrusted`."
    )
    took_ms: int | None
    created_at: datetime

    @staticmethod
    def resolve_agent(row: ToolExecution) -> str:
        return row.agent.name if row.agent else ""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "call_id": "call_1", "parent": "", "agent": "Documents",
                    "tool": "calculate", "server": "", "effect": "none",
                    "status": "done", "arguments": '{"expression": "6 * 7"}', "output": "42",
                    "data": {}, "input_taints": [], "took_ms": 3,
                    "created_at": "2026-11-22T09:30:00Z",
                }
            ]
        }
    )  # fmt: skip


@router.get(
    "/turns/{uuid:turn_id}/calls", response=list[ToolCallOut], auth=READ_OR_CHAT,
    summary="Calls of tools", operation_id="list_tool_calls",
)  # fmt: skip
def list_tool_calls(request: HttpRequest, turn_id: UUID) -> Any:
    """In the order they were made. Who did not ask the question sees none: results hold what the
    person who asked may read."""
    user = caller(request)
    with reading_as(user):
        if not Turn.objects.visible_to(user).filter(pk=turn_id).exists():
            raise Http404
        calls = ToolExecution.objects.visible_to(user).filter(run_id=turn_id)
        calls = calls.select_related("agent")
        return list(calls.order_by("id")[:MOST])
