"""What is said to a server: a listing of its tools, or a call of one. One connection each."""

from typing import Any

from mcp.client.client import Client
from mcp_types import LoggingMessageNotificationParams

from agents.mcp_client.connecting import connected
from agents.mcp_client.pinning import definition_of, pin_of
from agents.mcp_client.results import heard
from agents.mcp_client.types import (
    Address,
    DefinitionChanged,
    Heard,
    ServerTrouble,
    Wanted,
)
from agents.tools.types import TellProgress

LIST_SECONDS = 20.0
MOST_TOOLS = 300
MOST_PAGES = 20


async def list_definitions(address: Address) -> dict[str, dict[str, Any]]:
    """Each tool of the server by its own name; raises ServerTrouble."""
    async with connected(address, LIST_SECONDS) as client:
        return await _listed(client)


async def call(address: Address, wanted: Wanted) -> Heard:
    """The result of a call, if the definition still is the one with this pin: it is read in the
    same connection, right before. Raises DefinitionChanged and ServerTrouble."""
    progress = _Progress(wanted.tell)
    is_called = False
    try:
        async with connected(address, wanted.seconds, progress.log) as client:
            definition = (await _listed(client)).get(wanted.tool)
            if definition is not None and pin_of(definition) == wanted.pin:
                is_called = True
                said = await client.call_tool(
                    wanted.tool, dict(wanted.arguments), progress_callback=progress
                )
                return heard(said)
    except ServerTrouble as trouble:
        if is_called:
            trouble.is_refused = False  # of the connection perhaps, but not of the call
        raise
    raise DefinitionChanged(definition)


async def _listed(client: Client) -> dict[str, dict[str, Any]]:
    """The first of several with one name counts."""
    found: dict[str, dict[str, Any]] = {}
    cursor = None
    for _page in range(MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        for tool in page.tools:
            said = tool.model_dump(mode="json", by_alias=True, exclude_none=True)
            try:
                definition = definition_of(said)
            except ValueError:
                continue  # nobody could read it, so nobody can approve it
            found.setdefault(str(definition["name"]), definition)
        cursor = page.next_cursor
        if cursor is None or len(found) >= MOST_TOOLS:
            break
    return dict(list(found.items())[:MOST_TOOLS])


class _Progress:
    """Hands on what the server says of a call: how far it is, and what it logs meanwhile."""

    def __init__(self, tell: TellProgress) -> None:
        self._tell = tell
        self._done: float | None = None
        self._total: float | None = None

    async def __call__(
        self, progress: float, total: float | None = None, message: str | None = None
    ) -> None:
        self._done, self._total = progress, total
        self._tell(message or "", progress, total)

    async def log(self, params: LoggingMessageNotificationParams) -> None:
        if params.level != "debug" and isinstance(params.data, str):
            self._tell(params.data, self._done, self._total)
