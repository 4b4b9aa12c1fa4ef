"""What of an export belongs to agents: memories, saved prompts and agents of one's own."""

from collections.abc import Iterator
from typing import Any
from zipfile import ZipFile

import orjson

from accounts.models import User
from agents.models import Agent, Memory, SavedPrompt

AGENT = (
    "id", "name", "slug", "description", "instructions", "model_name", "max_passages",
    "context_tokens", "max_answer_tokens", "temperature", "created_at", "updated_at",
)  # fmt: skip


def write_agents(user: User, archive: ZipFile) -> Iterator[int]:
    """`memories.json`, `prompts.json` and `agents.json`."""
    yield 3
    memories = Memory.objects.visible_to(user)
    _write(archive, "memories", memories.values("text", "origin", "created_at", "updated_at"))
    yield 1
    prompts = SavedPrompt.objects.filter(owner=user, deleted_at=None)
    _write(archive, "prompts", prompts.values("name", "text", "created_at", "updated_at"))
    yield 1
    agents = Agent.objects.filter(owner=user, is_builtin=False)
    _write(archive, "agents", agents.values(*AGENT))
    yield 1


def _write(archive: ZipFile, name: str, rows: Any) -> None:
    archive.writestr(f"{name}.json", orjson.dumps(list(rows), option=orjson.OPT_INDENT_2))
