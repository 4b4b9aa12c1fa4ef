"""The protocol itself, both of its revisions, by the official SDK: our tools behind it.

Nothing lasts longer than a request: each has a manager of its own that ends with it, and with it
whatever the tool was doing. This is the only module here that imports the SDK, which costs a second
and 40 MB: the first call loads it (`agents.mcp.view`).
"""

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    ToolAnnotations,
)
from mcp_types import Tool as ToolObject
from pydantic import ValidationError

from accounts.errors import MissingScope
from accounts.models import ApiToken
from agents.mcp.catalogue import BY_NAME, INSTRUCTIONS, TOOLS
from agents.mcp.types import Arguments, Said, Tool, ToolRefused, Visit
from agents.openai.callers import Call
from agents.openai.errors import told
from observability.patience import run_patiently
from security import audit
from security.acts import Act
from security.rate_limits import LimitReached

KEY = "parley"  # in the scope: who calls
NOT_THERE = "Nothing that you may see has this id or name."
Context = ServerRequestContext[Any, Any]
HOUR = CacheHint(ttl_ms=3_600_000, scope="private")


@dataclass(frozen=True, slots=True)
class Knock:
    """A request that was let in."""

    request: HttpRequest
    call: Call

    @property
    def token(self) -> ApiToken:
        token: ApiToken = self.request.auth  # type: ignore[attr-defined]
        return token


async def serve(knock: Knock, scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer one request, as an ASGI application; to cancel it ends everything that it began."""
    manager = StreamableHTTPSessionManager(server, stateless=True)
    async with manager.run():
        await manager.handle_request({**scope, KEY: knock}, receive, send)


async def list_tools(context: Context, _params: PaginatedRequestParams | None) -> ListToolsResult:
    """Those that the caller's token is good for."""
    scopes = _knock(context).token.scopes
    return ListToolsResult(tools=[_described(tool) for tool in TOOLS if tool.is_open_to(scopes)])


async def call_tool(context: Context, params: CallToolRequestParams) -> CallToolResult:
    """What the tool says, or why it says nothing; only a tool that is not there is an error of the
    protocol, which no model sees."""
    tool = BY_NAME.get(params.name)
    if tool is None:
        raise MCPError(INVALID_PARAMS, f"Unknown tool: {params.name[:100]}")
    try:
        said = await _run(tool, context, params.arguments or {})
    except Exception as error:  # noqa: BLE001 - the boundary: each becomes an answer
        text = TextContent(text=_reason(error, tool.name))
        return CallToolResult(content=[text], is_error=True)
    return CallToolResult(
        content=[TextContent(text=said.text)],
        structured_content=said.content.model_dump(mode="json"),
    )


async def _run(tool: Tool, context: Context, given: dict[str, Any]) -> Said:
    knock = _knock(context)
    if not tool.is_open_to(knock.token.scopes):
        raise MissingScope(tool.scopes, knock.token.scopes)
    try:
        asked = tool.takes.model_validate(given)
    except ValidationError as error:
        raise ToolRefused(_what_is_wrong(error)) from None

    async def tell(progress: int, words: str) -> None:
        await context.session.report_progress(progress, message=words)

    try:
        said = await tool.run(Visit(knock.request, knock.call, tell), asked)
    except LimitReached:
        raise  # counted where rates are
    except Exception:
        await run_patiently(_note, knock, tool, asked, "refused")
        raise
    await run_patiently(_note, knock, tool, asked, "answered")
    return said


def _note(knock: Knock, tool: Tool, asked: Arguments, outcome: str) -> None:
    """In the audit log: by whose token, and of which document or agent; nobody's words."""
    about = getattr(asked, "document_id", "")
    if outcome == "answered":  # else it may be anything
        about = about or getattr(asked, "agent", "")
    with audit.acting(knock.request):
        audit.record(
            Act.MCP_CALLED, by=knock.call.user, title=tool.name, about=str(about), outcome=outcome
        )


def _knock(context: Context) -> Knock:
    request: Any = context.request
    knock: Knock = request.scope[KEY]
    return knock


def _what_is_wrong(error: ValidationError) -> str:
    """Each argument and its trouble, without repeating what was sent."""
    lines = [
        f"{'.'.join(map(str, one['loc'])) or 'arguments'}: {one['msg']}"
        for one in error.errors(include_url=False, include_input=False, include_context=False)
    ]
    return "These arguments cannot be used.\n" + "\n".join(lines[:20])


def _reason(error: Exception, tool: str) -> str:
    if isinstance(error, Http404):
        return NOT_THERE
    if isinstance(error, ToolRefused):
        return str(error)
    return told(error, f"MCP {tool}").message


def _described(tool: Tool) -> ToolObject:
    return ToolObject(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.takes.model_json_schema(),
        output_schema=tool.gives.model_json_schema(mode="serialization"),
        annotations=ToolAnnotations(
            read_only_hint=True, destructive_hint=False, open_world_hint=False
        ),
    )


def _schema_of(name: str) -> dict[str, Any] | None:
    tool = BY_NAME.get(name)
    return tool.takes.model_json_schema() if tool else None


server: Server[Any] = Server(
    "parley",
    title="Parley",
    version="1",
    instructions=INSTRUCTIONS,
    cache_hints={"tools/list": HOUR, "server/discover": HOUR},
    get_tool_input_schema=_schema_of,
    on_list_tools=list_tools,
    on_call_tool=call_tool,
)
