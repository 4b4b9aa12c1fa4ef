"""Servers that others wrote: our own over a real socket, here as anybody else's."""

from ipaddress import ip_network
from typing import Any

import pytest

from agents.mcp_client import services
from agents.mcp_client.models import McpServer
from agents.tools.types import Taint
from tests.mcp.conftest import SAID

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(180),
    pytest.mark.django_db(transaction=True),
]


def connected(url: str, admin: Any, **fields: Any) -> McpServer:
    """Everything that it offers is approved."""
    server: McpServer = McpServer.objects.create(
        name="other", url=url, is_for_everyone=True, **fields
    )
    if fields.get("auth") == "bearer":
        services.store_token(server, "par_wrong")
        assert "does not let us in" in services.refresh(server)
    return server


def approve_all(server: McpServer, admin: Any) -> set[str]:
    assert services.refresh(server) == ""
    for row in server.tools.all():
        assert services.approve(row, row.pin, services.suggested_effect(row.definition), by=admin)
    return set(server.tools.values_list("name", flat=True))


def test_a_parley_searches_in_another(
    handbook: Any, web_port: int, key: str, admin: Any, call: Any, settings: Any
) -> None:
    settings.PARLEY_MCP_NETWORKS = (ip_network("127.0.0.1"),)
    server = connected(f"http://127.0.0.1:{web_port}/mcp", admin, auth="bearer")
    services.store_token(server, key)
    names = approve_all(server, admin)
    assert names >= {"other__search", "other__read_document", "other__ask_agent"}
    output = call("other__search", query="vacation days")
    assert SAID in output.text
    assert output.data["structured"]["passages"][0]["title"]
    assert output.taints == {Taint.UNTRUSTED}
    wrong = call("other__read_document", document_id="no id")
    assert wrong.data["is_error"]
