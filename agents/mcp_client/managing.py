"""What administrators do with servers through the API; their pages do the same by a form."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from accounts.models import Team, User
from agents.mcp_client import services
from agents.mcp_client.errors import DefinitionMoved, ServerRefused
from agents.mcp_client.leaving import forget_accounts
from agents.mcp_client.models import McpServer, McpTool
from agents.mcp_client.pinning import State

OPEN = (State.NEW, State.CHANGED)
OF_A_PROGRAM = frozenset({"url", "auth", "token", "client_id"})


def servers_for(user: User, act: str) -> QuerySet[McpServer]:
    """All of them to whom they are open, with how many tools wait; raises Http404."""
    if not (user.is_active and user.is_staff and user.has_perm(f"agents.{act}_mcpserver")):
        raise Http404
    waiting = Count("tools", filter=Q(tools__state__in=OPEN))
    rows: QuerySet[McpServer] = McpServer.objects.annotate(open_count=waiting)
    return rows.prefetch_related("people", "teams")


def find_server(user: User, server_id: UUID, act: str) -> McpServer:
    """Raises Http404."""
    found = servers_for(user, act).filter(pk=server_id).first()
    if found is None:
        raise Http404
    return found


def add_server(user: User, fields: Mapping[str, Any]) -> McpServer:
    """Nothing of it is called before its tools are approved. Raises Http404, ServerRefused."""
    servers_for(user, "add")
    if McpServer.objects.filter(name=fields["name"]).exists():
        raise ServerRefused(ServerRefused.is_taken)
    try:
        with transaction.atomic():
            server = McpServer(name=fields["name"], url=fields["url"])
            _write(server, fields)
            _enter_token(server, fields)
    except IntegrityError:
        raise ServerRefused(ServerRefused.is_taken) from None
    return server


@transaction.atomic
def change_server(user: User, server_id: UUID, fields: Mapping[str, Any]) -> McpServer:
    """Raises Http404, ServerRefused. A stored token goes to the server it was entered for."""
    find_server(user, server_id, "change")
    server: McpServer = McpServer.objects.select_for_update().get(pk=server_id)
    if server.is_local and OF_A_PROGRAM & fields.keys():
        raise ServerRefused(ServerRefused.is_local)
    moves = any(fields.get(name) not in (None, getattr(server, name)) for name in ("url", "auth"))
    is_other = urlsplit(server.url)[:2] != urlsplit(fields.get("url", server.url))[:2]
    is_other = is_other or fields.get("auth", server.auth) != server.auth
    wants = fields.get("auth", server.auth) == McpServer.Auth.BEARER
    if wants and is_other and server.secret and not fields.get("token"):
        raise ServerRefused(ServerRefused.is_other)
    if moves:
        forget_accounts(server.accounts.all())
    if fields.get("auth", server.auth) != server.auth:
        services.store_token(server, "")
    _write(server, fields)
    if moves:
        services.forget_authorization(server, keeps_client="client_id" in fields)
    _enter_token(server, fields)
    return server


def _write(server: McpServer, fields: Mapping[str, Any]) -> None:
    for name in ("url", "auth", "client_id", "is_enabled", "is_for_everyone", "timeout"):
        if fields.get(name) is not None:
            setattr(server, name, fields[name])
    if server.auth == McpServer.Auth.BEARER and not (fields.get("token") or server.secret):
        raise ServerRefused(ServerRefused.wants_token)
    server.save()
    if (teams := fields.get("teams")) is not None:
        server.teams.set(_all_of(Team.objects.filter(pk__in=teams), teams))
    if (people := fields.get("people")) is not None:
        wanted = {one.lower() for one in people}
        server.people.set(_all_of(User.objects.filter(email__in=wanted), list(wanted)))


def _enter_token(server: McpServer, fields: Mapping[str, Any]) -> None:
    """Behind what is forgotten with a change of its address: it is of the new one."""
    token = fields.get("token")
    if token and server.auth != McpServer.Auth.NONE:
        services.store_token(server, token)


def _all_of(rows: QuerySet[Any], asked: Sequence[Any]) -> list[Any]:
    found = list(rows)
    if len(found) != len(set(asked)):
        raise ServerRefused(ServerRefused.nobody)
    return found


def delete_server(user: User, server_id: UUID) -> None:
    """With its tools and people's accounts there. Raises Http404, ServerRefused."""
    server = find_server(user, server_id, "delete")
    if server.is_local:
        raise ServerRefused(ServerRefused.is_local)
    services.remove_server(server)


def find_tool(user: User, server_id: UUID, tool_id: UUID) -> McpTool:
    """To decide about it; raises Http404."""
    found: McpTool | None = find_server(user, server_id, "change").tools.filter(pk=tool_id).first()
    if found is None:
        raise Http404
    return found


def decide(user: User, tool: McpTool, decision: str, pin: str, effect: str) -> McpTool:
    """About the very definition that has this pin. Raises DefinitionMoved."""
    if decision == "approve":
        is_done = services.approve(tool, pin, effect, by=user)
    else:
        is_done = services.reject(tool, pin, by=user)
    if not is_done:
        said = _("%(tool)s has changed in the meantime. Read it again.")
        raise DefinitionMoved(said % {"tool": tool})
    tool.refresh_from_db()
    return tool
