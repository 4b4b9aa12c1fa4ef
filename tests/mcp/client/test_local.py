"""Servers of the operator's file: programs with limits, and no other way to name a command."""

import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse

from accounts.models import User
from agents.mcp_client import services
from agents.mcp_client.local import local_servers
from agents.mcp_client.models import McpServer
from agents.tools.types import Effect, ToolRefused

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
PROGRAM = str(Path(__file__).with_name("local_server.py"))


@pytest.fixture
def operator(settings: Any, tmp_path: Path) -> Any:
    """Writes the file; the servers in it have rows, are on, and their tools approved."""
    path = tmp_path / "servers.json"
    settings.PARLEY_MCP_SERVERS_FILE = str(path)

    def write(name: str = "here", **env: str) -> McpServer:
        command = {"command": sys.executable, "args": [PROGRAM], "env": env}
        path.write_text(json.dumps({"mcpServers": {name: command}}))
        services.keep_local_servers()
        server: McpServer = McpServer.objects.get(name=name)
        return server

    return write


def approve(server: McpServer, admin: User) -> None:
    assert services.refresh(server) == ""
    row = server.tools.get()
    assert services.approve(row, row.pin, Effect.READS, by=admin)
    McpServer.objects.filter(pk=server.pk).update(is_enabled=True, is_for_everyone=True)


def is_running(pid: int) -> bool:
    """Zombies have ended; whoever adopted them has only not looked yet."""
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    return False


def ended(pids: Path) -> None:
    if not pids.exists():  # it was ended before it began
        return
    deadline = time.monotonic() + 60
    found = [int(pid) for pid in pids.read_text().split()]
    assert found
    while any(map(is_running, found)):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def test_it_is_off_until_an_administrator_turns_it_on(operator: Any, admin: User) -> None:
    server = operator()
    assert (server.is_local, server.is_enabled, server.url) == (True, False, "")
    services.keep_local_servers()
    assert McpServer.objects.count() == 1


def test_it_is_called_with_nothing_of_ours_and_leaves_nothing_behind(
    operator: Any, admin: User, call: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("PARLEY_SECRET_KEYS", "x" * 40)
    pids = tmp_path / "pids"
    server = operator(PIDS=str(pids), STAYS="1", OWN="of the operator")
    approve(server, admin)
    said = json.loads(call("here__look").text)
    assert set(said["environment"]) >= {"OWN", "PATH"}
    assert not [name for name in said["environment"] if "PARLEY" in name or "DATABASE" in name]
    ended(pids)


@pytest.mark.parametrize("mode", ["flood", "hang", "die"])
def test_one_that_misbehaves_is_ended(
    operator: Any, admin: User, call: Any, tmp_path: Path, mode: str
) -> None:
    approve(operator(), admin)
    McpServer.objects.update(timeout=3)
    operator(MODE=mode, PIDS=str(tmp_path / "pids"))
    try:
        output = call("here__look")
    except ToolRefused as refusal:
        output = None
        said = str(refusal)
    assert output.data["is_error"] if output else "here" in said
    ended(tmp_path / "pids")


def test_one_that_is_not_there_or_not_in_the_file_any_more(
    operator: Any, admin: User, call: Any, settings: Any
) -> None:
    approve(operator(), admin)
    path = Path(settings.PARLEY_MCP_SERVERS_FILE)
    path.write_text(json.dumps({"mcpServers": {"here": {"command": "/no/such/program"}}}))
    with suppress(ToolRefused):
        assert call("here__look").data["is_error"]
    path.write_text(json.dumps({"mcpServers": {}}))
    with pytest.raises(ToolRefused, match="operator's file"):
        call("here__look")
    path.write_text("{")
    with pytest.raises(ToolRefused, match="cannot be read"):
        call("here__look")
    client = Client()
    client.force_login(admin)
    shown = client.get(reverse("admin:agents_mcpserver_changelist"))
    assert (shown.status_code, "PARLEY_MCP_SERVERS_FILE" in shown.content.decode()) == (200, True)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"mcpServers": {"x": {}}}', '{"mcpServers": {"a__b": {"command": "x"}}}',
        '{"mcpServers": {"x": {"command": "x", "shell": true}}}',
        '{"mcpServers": {"x": {"command": "x", "env": {"KEY": ["sk-secret"]}}}}',
        '{"mcpServers": {"x": {"url": "https://example.org"}}}',
    ],
)  # fmt: skip
def test_a_malformed_file_stops_the_start_and_is_not_repeated(
    operator: Any, settings: Any, text: str
) -> None:
    Path(settings.PARLEY_MCP_SERVERS_FILE).write_text(text)
    with pytest.raises(ImproperlyConfigured, match="PARLEY_MCP_SERVERS_FILE") as stopped:
        local_servers()
    assert "sk-secret" not in str(stopped.value)


def test_no_page_names_a_command(operator: Any, admin: User, tmp_path: Path) -> None:
    """As the strongest who is no operator: nothing is started that is not in the file."""
    client = Client()
    client.force_login(admin)
    pids = tmp_path / "pids"
    add = reverse("admin:agents_mcpserver_add")
    for number, url in enumerate(
        ("stdio:/bin/sh", f"{sys.executable} {PROGRAM}", "file:///bin/sh")
    ):
        sent = {
            "name": f"s{number}", "url": url, "auth": "none", "timeout": 5, "is_local": "on",
            "command": sys.executable, "args": PROGRAM, "is_enabled": "on",
        }  # fmt: skip
        assert client.post(add, sent).status_code == 200  # the form again, with what is wrong
    assert not McpServer.objects.exists()
    server = operator(PIDS=str(pids))
    assert "here" in client.get(reverse("admin:agents_mcpserver_changelist")).content.decode()
    change = reverse("admin:agents_mcpserver_change", args=[server.pk])
    shown = client.get(change).content.decode()
    assert (os.fspath(sys.executable) in shown, 'name="url"' in shown) == (False, False)
    client.post(change, {"timeout": 7, "url": "https://evil.example", "command": "/bin/sh"})
    server.refresh_from_db()
    assert (server.timeout, server.url, pids.exists()) == (7, "", False)
