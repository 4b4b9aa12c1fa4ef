"""MCP servers in the JSON API: administrators connect them and decide, people connect accounts."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Query, Router, Status

from accounts.callers import ACCOUNT, caller
from agents.mcp_client import managing, services
from agents.mcp_client.pinning import State
from agents.mcp_client.schemas import (
    McpCheckOut,
    McpDecisionIn,
    McpServerIn,
    McpServerOut,
    McpServerPatch,
    McpToolOut,
)
from security.paging import paginate
from security.schemas import PageOf, PageQuery

router = Router(tags=["MCP servers"])
ONE = "/mcp-servers/{uuid:server_id}"


@router.get(
    "/mcp-servers", response=PageOf[McpServerOut], auth=ACCOUNT, summary="List MCP servers",
    operation_id="list_mcp_servers",
)  # fmt: skip
def list_mcp_servers(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """For administrators."""
    rows = managing.servers_for(caller(request), "view")
    return paginate(rows, ["-id"], page.cursor, page.limit)


@router.post(
    "/mcp-servers", response={201: McpServerOut}, auth=ACCOUNT, summary="Add an MCP server",
    operation_id="add_mcp_server",
)  # fmt: skip
def add_mcp_server(request: HttpRequest, body: McpServerIn) -> Any:
    """For administrators. Check it afterwards to learn what it offers; nothing of it is called
    before it is approved."""
    made = managing.add_server(caller(request), body.fields())
    return Status(201, managing.find_server(caller(request), made.pk, "add"))


@router.get(
    ONE, response=McpServerOut, auth=ACCOUNT, summary="Read an MCP server",
    operation_id="get_mcp_server",
)  # fmt: skip
def get_mcp_server(request: HttpRequest, server_id: UUID) -> Any:
    """For administrators."""
    return managing.find_server(caller(request), server_id, "view")


@router.patch(
    ONE, response=McpServerOut, auth=ACCOUNT, summary="Change an MCP server",
    operation_id="change_mcp_server",
)  # fmt: skip
def change_mcp_server(request: HttpRequest, server_id: UUID, body: McpServerPatch) -> Any:
    """For administrators. Behind another address is somebody else: people's accounts and a stored
    token are not for them."""
    user = caller(request)
    managing.change_server(user, server_id, body.fields())
    return managing.find_server(user, server_id, "change")


@router.delete(
    ONE, response={204: None}, auth=ACCOUNT, summary="Remove an MCP server",
    operation_id="remove_mcp_server",
)  # fmt: skip
def remove_mcp_server(request: HttpRequest, server_id: UUID) -> Any:
    """For administrators; its tools and people's accounts there go with it."""
    managing.delete_server(caller(request), server_id)
    return Status(204, None)


@router.post(
    f"{ONE}/check", response=McpCheckOut, auth=ACCOUNT, summary="Check an MCP server",
    operation_id="check_mcp_server",
)  # fmt: skip
def check_mcp_server(request: HttpRequest, server_id: UUID) -> Any:
    """For administrators: connect to it, with your own account where it wants one, and note what
    it offers. Waits 20 s at most."""
    user = caller(request)
    server = managing.find_server(user, server_id, "change")
    trouble = services.refresh(server, by=user)
    states = [tool.state for tool in server.tools.all()]
    return McpCheckOut(
        is_connected=not trouble,
        trouble=trouble,
        tools=sum(state != State.GONE for state in states),
        waiting=sum(state in managing.OPEN for state in states),
    )


@router.get(
    f"{ONE}/tools", response=PageOf[McpToolOut], auth=ACCOUNT, summary="List tools of a server",
    operation_id="list_mcp_tools",
)  # fmt: skip
def list_mcp_tools(request: HttpRequest, server_id: UUID, page: Query[PageQuery]) -> Any:
    """For administrators: every definition in full, and the one that was approved."""
    server = managing.find_server(caller(request), server_id, "view")
    return paginate(server.tools.all(), ["-id"], page.cursor, page.limit)


@router.post(
    ONE + "/tools/{uuid:tool_id}/decision", response=McpToolOut, auth=ACCOUNT,
    summary="Decide about a tool", operation_id="decide_mcp_tool",
)  # fmt: skip
def decide_mcp_tool(
    request: HttpRequest, server_id: UUID, tool_id: UUID, body: McpDecisionIn
) -> Any:
    """For administrators: agents may call it with exactly the definition of this pin, or nobody
    may. 409 where it has changed since it was read."""
    user = caller(request)
    tool = managing.find_tool(user, server_id, tool_id)
    return managing.decide(user, tool, body.decision, body.pin, body.effect)
