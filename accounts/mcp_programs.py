"""How the usual programs are told of `/mcp`: what a person copies into each of them."""

import json
from typing import Any

TOKEN = "par_…"  # noqa: S105 - the place of one


def programs_for(address: str) -> list[tuple[str, str]]:
    """Names of programs, and the command or the file of settings that connects each."""
    bearer = f"Bearer {TOKEN}"
    headers = {"Authorization": bearer}
    remote = {
        "command": "npx",
        # A space in an argument is lost on Windows; so the header is put together there.
        "args": ["-y", "mcp-remote", address, "--header", "Authorization:${PARLEY}"],
        "env": {"PARLEY": bearer},
    }
    here = {"url": address, "headers": headers}
    command = f'claude mcp add --transport http parley {address} --header "Authorization: {bearer}"'
    return [
        ("Claude Code", command),
        ("Claude Desktop (claude_desktop_config.json)", _file(mcpServers={"parley": remote})),
        ("Cursor (~/.cursor/mcp.json)", _file(mcpServers={"parley": here})),
        ("VS Code (.vscode/mcp.json)", _file(servers={"parley": {"type": "http", **here}})),
    ]


def _file(**content: Any) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False)
