"""Writes: servers and their tokens, the definitions that are seen and those that are approved."""

import asyncio
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from agents.approvals.models import ToolPermission
from agents.mcp_client.leaving import forget_accounts
from agents.mcp_client.local import command_of, local_servers
from agents.mcp_client.models import McpServer, McpTool
from agents.mcp_client.naming import name_of
from agents.mcp_client.pinning import Definition, State, pin_of, state_of
from agents.mcp_client.sealing import secret_context
from agents.mcp_client.types import Address, ServerTrouble
from agents.tools.types import Effect
from observability.db import run_sync
from security import audit
from security.acts import Act
from security.secrets import SecretUnreadable, hint, open_, seal

# Loaded by the first use: they cost 40 MB.
SPEAKING, ACCOUNTS = "agents.mcp_client.speaking", "agents.mcp_client.oauth.accounts"
READ_ONLY = "readOnlyHint"


@transaction.atomic
def store_token(server: McpServer, token: str) -> None:
    """Seal the token into the row; an empty one removes it."""
    server.secret = seal(token, secret_context(server)) if token else None
    server.save(update_fields=["secret"])
    audit.record(Act.MCP_TOKEN_STORED if token else Act.MCP_TOKEN_REMOVED, server)


@transaction.atomic
def forget_authorization(server: McpServer, *, keeps_client: bool) -> None:
    """Behind a new address is somebody else: people's accounts and our registration are not for
    them."""
    forget_accounts(server.accounts.all())
    if server.auth == McpServer.Auth.OAUTH:
        server.issuer, server.secret = "", None
        server.client_id = server.client_id if keeps_client else ""
        server.save(update_fields=["issuer", "secret", "client_id"])


@transaction.atomic
def remove_server(server: McpServer) -> None:
    """With its tools and people's accounts there, whose tokens are taken back."""
    forget_accounts(server.accounts.all())
    server.delete()


def token_hint(server: McpServer) -> str:
    """What may be shown of the stored token: its last four characters, "" without one."""
    if not server.secret:
        return ""
    try:
        return hint(open_(bytes(server.secret), secret_context(server)))
    except SecretUnreadable:
        return "?"


async def address_for(user: User, server: McpServer, *, anew: bool = False) -> Address:
    """How the server is spoken to for this person. `anew` where it refused the person's token.

    Raises ServerTrouble where its token cannot be read, where the operator took it out of the file,
    and with `needs_sign_in` where the person has to connect (again).
    """
    if server.is_local or server.auth != McpServer.Auth.OAUTH:
        return await run_sync(address_of, server)
    accounts = await asyncio.to_thread(import_module, ACCOUNTS)
    token = await accounts.token_for(user, server, anew=anew)
    return Address(server.name, server.url, {"Authorization": f"Bearer {token}"})


def address_of(server: McpServer) -> Address:
    """The same of a server that is for everybody alike."""
    if server.is_local:
        return Address(server.name, "", command=command_of(server.name))
    headers = {}
    if server.auth == McpServer.Auth.BEARER and server.secret:
        try:
            token = open_(bytes(server.secret), secret_context(server))
        except SecretUnreadable:
            raise ServerTrouble(_("The stored token cannot be read. Enter it again.")) from None
        headers["Authorization"] = f"Bearer {token}"
    return Address(server.name, server.url, headers)


def keep_local_servers() -> None:
    """A row for each server of the operator's file, off until an administrator turns it on. A name
    that somebody else has stays theirs."""
    if not (found := local_servers()):
        return
    names = found.keys() - McpServer.objects.values_list("name", flat=True)
    McpServer.objects.bulk_create(
        [McpServer(name=name, is_local=True, is_enabled=False) for name in sorted(names)],
        ignore_conflicts=True,
    )


def refresh(server: McpServer, *, by: User | None = None) -> str:
    """Ask the server, with an account `by`'s, for its tools and note what they are now; what went
    wrong, or nothing.

    Waits for the network, 20 s at most. Nothing that is new or changed may be called before it is
    approved.
    """
    trouble = ""
    try:
        found = asyncio.run(_definitions(server, by))
    except ServerTrouble as error:
        trouble = " ".join(filter(None, [str(error), error.said]))
    else:
        note_definitions(server, found)
    server.last_checked_at = timezone.now()
    server.last_error = trouble
    server.save(update_fields=["last_checked_at", "last_error"])
    return trouble


async def _definitions(server: McpServer, by: User | None) -> dict[str, Definition]:
    address = await address_for(by, server) if by else await run_sync(address_of, server)
    found: dict[str, Definition] = await import_module(SPEAKING).list_definitions(address)
    return found


@transaction.atomic
def note_definitions(server: McpServer, found: Mapping[str, Definition]) -> None:
    """These are the tools of the server now, by their own names, and there are no others."""
    known = {tool.own_name: tool for tool in server.tools.select_for_update()}
    for own_name, definition in found.items():
        tool = known.pop(own_name, None) or McpTool(
            server=server, own_name=own_name, name=name_of(server.name, own_name)
        )
        note_definition(tool, definition)
    for tool in known.values():
        note_definition(tool, None)


def note_definition(tool: McpTool, definition: Definition | None) -> None:
    """What a tool is now; None where it is gone."""
    if definition is not None:
        tool.definition = dict(definition)
        tool.pin = pin_of(definition)
        tool.seen_at = timezone.now()
    tool.state = state_of(
        tool.pin, tool.approved_pin, tool.rejected_pin, is_offered=definition is not None
    )
    tool.save()


@transaction.atomic
def approve(tool: McpTool, pin: str, effect: str, *, by: User) -> bool:
    """Let agents call the tool as it is, if it still is the one with this pin.

    `effect` is the most that a call can do, by which the policy decides; a server's own word counts
    only where an administrator takes it over.
    """
    row = McpTool.objects.select_for_update().get(pk=tool.pk)
    if row.pin != pin or row.state == State.GONE:
        return False
    row.approved_definition, row.approved_pin, row.rejected_pin = row.definition, pin, ""
    row.effect = Effect(effect)
    _decide(row, by)
    audit.record(Act.MCP_TOOL_APPROVED, row, by=by, pin=pin, effect=effect)
    return True


@transaction.atomic
def reject(tool: McpTool, pin: str, *, by: User) -> bool:
    """Nobody calls the tool with this definition, nor with one that was approved before."""
    row = McpTool.objects.select_for_update().get(pk=tool.pk)
    if row.pin != pin:
        return False
    row.approved_definition, row.approved_pin, row.rejected_pin = None, "", pin
    _decide(row, by)
    audit.record(Act.MCP_TOOL_REJECTED, row, by=by, pin=pin)
    return True


def _decide(row: McpTool, by: User) -> None:
    """What people allowed for longer was said of what was approved before."""
    ToolPermission.objects.filter(tool=row.name, server=row.server.name).delete()
    row.decided_by, row.decided_at = by, timezone.now()
    is_offered = row.state != State.GONE
    row.state = state_of(row.pin, row.approved_pin, row.rejected_pin, is_offered=is_offered)
    row.save()


def note_changed(tool: McpTool, definition: Definition | None) -> None:
    """A call found another definition than the approved one."""
    with transaction.atomic():
        row = McpTool.objects.select_for_update().filter(pk=tool.pk).first()
        if row is not None:
            note_definition(row, definition)
            audit.record(Act.MCP_TOOL_CHANGED, row)


def suggested_effect(definition: Mapping[str, Any]) -> str:
    """What the server says of itself: a suggestion, never more."""
    annotations = definition.get("annotations") or {}
    return Effect.READS if annotations.get(READ_ONLY) is True else Effect.SENDS
