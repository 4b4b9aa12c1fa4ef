"""A person's accounts at servers, in the JSON API."""

from importlib import import_module
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router

from accounts.callers import ACCOUNT, READ_OR_CHAT, caller
from accounts.limits import spend_for
from agents.mcp_client.models import McpAccount
from agents.mcp_client.oauth.signing import Signing, find_signing, way_back
from agents.mcp_client.schemas import ConnectionBegun, ConnectionEnded, ConnectionOut
from agents.mcp_client.services import ACCOUNTS
from security.rate_limits import Action

router = Router(tags=["MCP servers"])
ONE = "/connections/{uuid:server_id}"


@router.get(
    "/connections", response=list[ConnectionOut], auth=READ_OR_CHAT,
    summary="List your connections", operation_id="list_connections",
)  # fmt: skip
def list_connections(request: HttpRequest) -> Any:
    """Servers that agents use with an account of yours, and whether you are connected."""
    user = caller(request)
    accounts = {one.server_id: one for one in McpAccount.objects.visible_to(user)}
    return [_shown(one, accounts.get(one.pk)) for one in Signing().visible_to(user)]


@router.post(
    ONE, response=ConnectionBegun, auth=ACCOUNT, summary="Begin to connect",
    operation_id="begin_connection",
)  # fmt: skip
def begin_connection(request: HttpRequest, server_id: UUID) -> Any:
    """The address at which you agree, within ten minutes, in a browser in which you are signed in
    here as the same person. 409 where the server cannot be asked."""
    user = caller(request)
    server = find_signing(user, server_id)
    spend_for(request, Action.TOKENS)
    url, _pending = import_module(ACCOUNTS).begin(server, way_back(request), by=user)
    return ConnectionBegun(url=url)


@router.delete(
    ONE, response=ConnectionEnded, auth=ACCOUNT, summary="Disconnect",
    operation_id="end_connection",
)  # fmt: skip
def end_connection(request: HttpRequest, server_id: UUID) -> Any:
    """The tokens are deleted here, and taken back there where the server offers that."""
    user = caller(request)
    server = find_signing(user, server_id)
    return ConnectionEnded(revoked=import_module(ACCOUNTS).disconnect(user, server))


def _shown(server: Any, account: McpAccount | None) -> ConnectionOut:
    is_good = account is not None and not account.is_broken
    return ConnectionOut(
        server_id=server.pk,
        server=server.name,
        status="none" if account is None else "connected" if is_good else "broken",
        connected_at=account.connected_at if account else None,
    )
