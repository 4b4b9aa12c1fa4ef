"""The tools of a server as an administrator reads them before deciding."""

import json
from dataclasses import dataclass
from typing import Any

from agents.mcp_client.models import McpServer, McpTool
from agents.mcp_client.pinning import Line, State, difference
from agents.mcp_client.services import suggested_effect
from security.invisible import shown, without_invisible

ORDER = [State.CHANGED, State.NEW, State.APPROVED, State.REJECTED, State.GONE]
COLOURS = {State.NEW: "warn", State.CHANGED: "bad", State.APPROVED: "ok"}


@dataclass(frozen=True, slots=True)
class ShownTool:
    """`hidden` counts characters that nobody sees; they are written out."""

    row: McpTool
    title: str
    description: str
    rest: str
    hidden: int
    effect: str
    is_said_to_read: bool
    changes: tuple[Line, ...]

    @property
    def colour(self) -> str:
        return COLOURS.get(State(self.row.state), "off")

    @property
    def is_approved(self) -> bool:
        return bool(self.row.state == State.APPROVED)

    @property
    def is_rejected(self) -> bool:
        return bool(self.row.state == State.REJECTED)

    @property
    def is_gone(self) -> bool:
        return bool(self.row.state == State.GONE)


def shown_tools(server: McpServer) -> list[ShownTool]:
    """What waits for a decision first; one query."""
    rows = sorted(server.tools.all(), key=lambda row: (ORDER.index(State(row.state)), row.name))
    return [_shown(row) for row in rows]


def _shown(row: McpTool) -> ShownTool:
    said: dict[str, Any] = row.definition
    rest = {part: one for part, one in said.items() if part not in ("name", "description")}
    description, hidden = _made_visible(str(said.get("description", "")))
    written, more = _made_visible(json.dumps(rest, ensure_ascii=False, indent=2, sort_keys=True))
    suggested = suggested_effect(said)
    changes: tuple[Line, ...] = ()
    if row.state == State.CHANGED and row.approved_definition is not None:
        lines = difference(row.approved_definition, said)
        changes = tuple(Line(one.sign, _made_visible(one.text)[0]) for one in lines)
    return ShownTool(
        row=row,
        title=str(said.get("title") or ""),
        description=description,
        rest=written,
        hidden=hidden + more,
        effect=row.effect,
        is_said_to_read=suggested == "reads",
        changes=changes,
    )


def _made_visible(text: str) -> tuple[str, int]:
    """With every invisible character written out, and how many these are."""
    return shown(text), without_invisible(text)[1]
