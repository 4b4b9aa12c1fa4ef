"""Documents of alice's, and tools called as a run calls them."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from agents.tools.registry import TOOLS
from agents.tools.types import ToolCalling, ToolOutput
from agents.types import AgentSpec, AgentTask
from tests.knowledge.conftest import (
    AddText,
    _files_apart,
    _ready_to_index,
    add_text,
    handbook,
)

__all__ = ["AddText", "_files_apart", "_ready_to_index", "add_text", "handbook"]

Call = Callable[..., ToolOutput]


@pytest.fixture
def call() -> Call:
    """`call(user, name, **arguments)`; fields of the task and of its agent under these names."""

    def made(
        user: Any, name: str, *, task: dict[str, Any] | None = None,
        agent: dict[str, Any] | None = None, **arguments: Any,
    ) -> ToolOutput:  # fmt: skip
        asked = AgentTask(AgentSpec(**(agent or {})), user, "?", **(task or {}))
        calling = ToolCalling(asked, "call-1")
        return asyncio.run(TOOLS[name].run(calling, arguments))

    return made


@pytest.fixture
def nobody() -> User:
    """Who asks tools that look at nothing of theirs; not in the database."""
    return User(email="nobody@example.org")
