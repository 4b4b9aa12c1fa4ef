"""What of an export belongs to agents: memories, saved prompts and agents of one's own."""

from collections.abc import Iterator
from typing import Any
from zipfile import ZipFile

import orjson

from accounts.models import User
from agents.building.content import content_of
from agents.models import (
    Agent,
    AgentPicture,
    Approval,
    Memory,
    RunNote,
    SavedPrompt,
    ToolExecution,
    ToolPermission,
)

AGENT = (
    "id", "name", "slug", "emoji", "description", "instructions", "model_name", "max_passages",
    "context_tokens", "max_answer_tokens", "temperature", "reasoning_effort", "tools", "starters",
    "version", "created_at", "updated_at",
)  # fmt: skip
CALL = (
    "run_id", "call_id", "parent", "tool", "server", "effect", "arguments", "output", "status",
    "input_taints", "took_ms", "created_at",
)  # fmt: skip

ASKED = (
    "run_id", "tool", "title", "server", "effect", "arguments", "status", "scope", "created_at",
    "decided_at",
)  # fmt: skip
ALLOWED = ("agent_id", "tool", "title", "server", "conversation_id", "created_at")


def write_agents(user: User, archive: ZipFile) -> Iterator[int]:
    """`memories.json`, `prompts.json`, `tool_calls.json`, `notes.json`, `approvals.json`,
    `tool_permissions.json` and `agents.json`."""
    yield 7
    memories = Memory.objects.visible_to(user)
    _write(archive, "memories", memories.values("text", "origin", "created_at", "updated_at"))
    yield 1
    prompts = SavedPrompt.objects.filter(owner=user, deleted_at=None)
    _write(archive, "prompts", prompts.values("name", "text", "created_at", "updated_at"))
    yield 1
    calls = ToolExecution.objects.visible_to(user).order_by("id")
    _write(archive, "tool_calls", calls.values(*CALL))
    yield 1
    notes = RunNote.objects.visible_to(user).order_by("id")
    _write(archive, "notes", notes.values("run_id", "text", "step", "asked_as", "created_at"))
    yield 1
    asked = Approval.objects.visible_to(user).order_by("id")
    _write(archive, "approvals", asked.values(*ASKED))
    yield 1
    allowed = ToolPermission.objects.visible_to(user).order_by("id")
    _write(archive, "tool_permissions", allowed.values(*ALLOWED))
    yield 1
    agents = Agent.objects.filter(owner=user, is_builtin=False).prefetch_related("versions")
    _write(archive, "agents", map(_whole, agents.select_related("draft")))
    for picture in AgentPicture.objects.filter(agent__in=agents):
        archive.writestr(f"agents/{picture.pk}.jpg", bytes(picture.data))
    yield 1


def _whole(agent: Agent) -> dict[str, Any]:
    """With its draft and every version, whose `picture` names a file beside."""
    return {name: getattr(agent, name) for name in AGENT} | {
        "draft": content_of(agent.draft) if hasattr(agent, "draft") else None,
        "versions": [
            {"number": one.number, "note": one.note, "at": one.created_at, **one.content}
            for one in agent.versions.all()
        ],
    }


def _write(archive: ZipFile, name: str, rows: Any) -> None:
    archive.writestr(f"{name}.json", orjson.dumps(list(rows), option=orjson.OPT_INDENT_2))
