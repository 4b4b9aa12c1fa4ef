"""The tools of servers, for a run and for whoever builds an agent."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import User
from agents.mcp_client.models import McpServer, McpTool
from agents.mcp_client.naming import is_of_a_server
from agents.mcp_client.pinning import State
from agents.mcp_client.services import SPEAKING, address_for, note_changed
from agents.mcp_client.types import DefinitionChanged, Heard, ServerTrouble, Wanted
from agents.tools.registry import PROVIDERS
from agents.tools.types import Effect, Taint, Tool, ToolCalling, ToolOutput, ToolRefused, ToolWaits
from agents.types import AgentTask
from observability.db import run_sync
from observability.patience import run_patiently
from security.invisible import without_invisible

UNTRUSTED = frozenset({Taint.UNTRUSTED})
WITHIN = 1.0  # seconds that a call ends before the run would end it


@dataclass(frozen=True, slots=True)
class DescribedTool:
    """A tool of a server as whoever builds an agent sees it: everything that models are told."""

    name: str
    title: str
    server: str
    description: str
    effect: str
    parameters: Mapping[str, Any]


def describe_tools(user: User) -> list[DescribedTool]:
    """The approved tools of the servers that this person may use; one query."""
    return [
        DescribedTool(
            row.name, title_of(row), row.server.name, description_of(row), row.effect,
            row.approved_definition.get("inputSchema", {}),
        )
        for row in _usable(user)
    ]  # fmt: skip


def usable_tools(user: User) -> list[Tool]:
    """The same as runs would call them."""
    return [tool_of(row) for row in _usable(user)]


async def provide(task: AgentTask) -> Sequence[Tool]:
    """Those of servers that the agent has switched on; without any of them nothing is asked."""
    names = [name for name in task.agent.tools if is_of_a_server(name)]
    if not names:
        return ()
    return [tool_of(row) for row in await run_patiently(_named, task.user, names)]


def tool_of(row: McpTool) -> Tool:
    """As it was approved, whatever the server says by now."""
    return Tool(
        name=row.name,
        title=title_of(row),
        description=description_of(row),
        effect=Effect(row.effect),
        parameters=_seen((row.approved_definition or {}).get("inputSchema", {"type": "object"})),
        run=partial(_run, row),
        timeout=float(row.server.timeout) + WITHIN,
        icon="plug",
        server=row.server.name,
        is_let_in=partial(_is_let_in, row.server) if _is_personal(row.server) else None,
    )


def _is_personal(server: McpServer) -> bool:
    return not server.is_local and server.auth == McpServer.Auth.OAUTH


async def _is_let_in(server: McpServer, user: User) -> bool:
    """What else is wrong the call itself will tell."""
    try:
        await address_for(user, server)
    except ServerTrouble as trouble:
        return not trouble.needs_sign_in
    return True


def title_of(row: McpTool) -> str:
    said = row.approved_definition or row.definition
    annotated = (said.get("annotations") or {}).get("title")
    title: str = _seen(str(said.get("title") or annotated or row.own_name))[:120]
    return title


def description_of(row: McpTool) -> str:
    said: str = _seen(str((row.approved_definition or row.definition).get("description", "")))
    return said


def _seen(value: Any) -> Any:
    """Without what whoever approved it could only see by its number."""
    if isinstance(value, str):
        return without_invisible(value)[0]
    if isinstance(value, Mapping):
        return {_seen(key): _seen(one) for key, one in value.items()}
    return [_seen(one) for one in value] if isinstance(value, list) else value


async def _run(row: McpTool, calling: ToolCalling, arguments: Mapping[str, Any]) -> ToolOutput:
    """Raises ToolRefused in words of ours alone; the server's own are a result like any other."""
    try:
        said = await _called(row, calling, arguments)
    except DefinitionChanged as change:
        # Accounts may be offered different tools: of those one person's call decides for nobody.
        if change.definition is not None and row.server.auth != McpServer.Auth.OAUTH:
            await run_sync(note_changed, row, change.definition)
        raise ToolRefused(
            _("The server has changed this tool since it was approved. An administrator has to "
              "look at it first; go on without it.")
        ) from None  # fmt: skip
    except ServerTrouble as trouble:
        if trouble.needs_sign_in and calling.within and calling.within.state.is_interactive:
            raise ToolWaits from None
        if not trouble.said:
            raise ToolRefused(str(trouble)) from None
        said = Heard(trouble.said, is_error=True)
    return _output(row.server, said)


async def _called(row: McpTool, calling: ToolCalling, arguments: Mapping[str, Any]) -> Heard:
    """A token of the person that the server refuses is renewed once: nothing was done yet."""
    user = calling.user
    speaking = await asyncio.to_thread(import_module, SPEAKING)
    wanted = Wanted(row.own_name, row.approved_pin, arguments, row.server.timeout, calling.tell)
    try:
        heard: Heard = await speaking.call(await address_for(user, row.server), wanted)
    except ServerTrouble as trouble:
        if not trouble.is_refused or row.server.auth != McpServer.Auth.OAUTH:
            raise
        heard = await speaking.call(await address_for(user, row.server, anew=True), wanted)
    return heard


def _output(server: McpServer, said: Heard) -> ToolOutput:
    data: dict[str, Any] = {"server": server.name, "is_error": said.is_error}
    if said.structured is not None:
        data["structured"] = said.structured
    if said.named:
        data["named"] = [dict(one) for one in said.named]
    text = said.text or _("(The tool said nothing.)")
    return ToolOutput(f"The tool failed.\n{text}" if said.is_error else text, data, (), UNTRUSTED)


def _usable(user: User) -> Any:
    servers = McpServer.objects.visible_to(user).filter(is_enabled=True)
    tools = McpTool.objects.filter(state=State.APPROVED, server__in=servers)
    return tools.select_related("server")


def _named(user: User, names: Sequence[str]) -> list[McpTool]:
    return list(_usable(user).filter(name__in=names))


def register() -> None:
    if provide not in PROVIDERS:
        PROVIDERS.append(provide)
