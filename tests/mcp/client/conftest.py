import asyncio
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import pytest

from agents.mcp_client import services
from agents.mcp_client.models import McpServer, McpTool
from agents.tools.registry import tools_of
from agents.tools.types import Effect, ToolCalling, ToolOutput
from agents.types import AgentSpec, AgentTask
from tests.mcp.client.fake import FakeServer, fake_server, text, tool
from tests.support.web import SITE


@pytest.fixture
def fake(settings: Any) -> Any:
    """At an address that the operator opened, and no other one is."""
    settings.PARLEY_MCP_NETWORKS = (ip_network(SITE),)
    with fake_server() as found:
        found.tools = [tool("look", "Looks something up.")]
        found.answers["look"] = text("It is blue.")
        yield found


@pytest.fixture
def server(transactional_db: Any, fake: FakeServer) -> McpServer:
    """Connected for everyone; nobody has decided about its tools yet."""
    made: McpServer = McpServer.objects.create(
        name="wiki", url=fake.url, is_for_everyone=True, timeout=20
    )
    assert services.refresh(made) == ""
    return made


@pytest.fixture
def approved(server: McpServer, admin: Any) -> McpServer:
    for row in server.tools.all():
        assert services.approve(row, row.pin, Effect.SENDS, by=admin)
    return server


@pytest.fixture
def call(alice: Any) -> Any:
    """Calls a tool as an agent of Alice's does in a run."""

    def made(name: str = "wiki__look", user: Any = None, **arguments: Any) -> ToolOutput:
        spec = replace(AgentSpec(), tools=(name,))
        task = AgentTask(spec, user or alice, "?")

        async def run() -> ToolOutput:
            found = (await tools_of(task))[name]
            return await found.run(ToolCalling(task, "call-1"), arguments)

        return asyncio.run(run())

    return made


def state(name: str = "wiki__look") -> str:
    return McpTool.objects.get(name=name).state
