"""Calls as readers are told of them."""

from django.utils import translation

from agents.authority.types import Verdict
from agents.tools.results import Result
from agents.tools.types import Taint, Tool
from agents.types import ToolApprovalRequested, ToolCalled, ToolCompleted
from gateway.types import ToolCall
from security.sentences import SOURCE, Sentence


def title_of(tool: Tool) -> str:
    """Said in the language of whoever reads."""
    if isinstance(tool.title, Sentence):
        return tool.title
    with translation.override("en"):
        return Sentence(SOURCE, text=str(tool.title))


def called(call: ToolCall, tool: Tool | None) -> ToolCalled:
    if tool is None:
        return ToolCalled(call.id, call.name[:64], call.name[:64], "", call.arguments)
    return ToolCalled(
        call.id, tool.name, title_of(tool), tool.effect.value, call.arguments, tool.server,
        tool.icon,
    )  # fmt: skip


def asked(call: ToolCall, tool: Tool, verdict: Verdict) -> ToolApprovalRequested:
    assert verdict.approval_id is not None
    return ToolApprovalRequested(
        call_id=call.id,
        approval_id=verdict.approval_id,
        name=tool.name,
        title=title_of(tool),
        effect=tool.effect.value,
        arguments=call.arguments,
        reason=verdict.reason,
        expires_at=verdict.expires_at,
        server=tool.server,
    )


def completed(call: ToolCall, result: Result, took_ms: int) -> ToolCompleted:
    return ToolCompleted(
        call.id,
        result.status,
        took_ms,
        chars=len(result.whole),
        text=result.beginning,
        data=dict(result.output.data) if result.output else {},
        passages=result.passages,
        is_private=bool(result.output and Taint.PRIVATE in result.output.taints),
        found=result.output.found if result.output else None,
    )
