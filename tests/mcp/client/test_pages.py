"""An administrator connects a server, reads what it offers, and decides tool by tool."""

from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import User
from agents.mcp_client import services
from agents.mcp_client.models import McpServer
from agents.mcp_client.provider import describe_tools
from agents.tools.types import Effect
from security.models import AuditEntry
from tests.mcp.client.conftest import state
from tests.mcp.client.fake import FakeServer, tool
from tests.support.cast import PASSWORD

pytestmark = pytest.mark.django_db(transaction=True)
TOKEN = "mcp-token-Zq81nVt0LmXc72RbWqA9"


@pytest.fixture
def root(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def page_of(server: McpServer) -> str:
    return reverse("admin:agents_mcpserver_change", args=[server.pk])


def decide(client: Client, server: McpServer, decision: str, **sent: Any) -> Any:
    row = server.tools.get()
    sent = {"tool": str(row.pk), "pin": row.pin, "effect": "reads", "decision": decision} | sent
    return client.post(reverse("admin:agents_mcpserver_decide", args=[server.pk]), sent)


def acts() -> list[str]:
    return list(AuditEntry.objects.filter(act__startswith="mcp.").values_list("act", flat=True))


def test_from_connecting_to_approving(root: Client, fake: FakeServer) -> None:
    fake.token = TOKEN
    sent = {
        "name": "wiki", "url": fake.url, "auth": "bearer", "token": TOKEN, "timeout": 30,
        "is_for_everyone": "on", "is_enabled": "on",
    }  # fmt: skip
    answer = root.post(reverse("admin:agents_mcpserver_add"), sent, follow=True)
    shown = answer.content.decode()
    assert "wiki offers 1 tools." in [str(one) for one in answer.context["messages"]]
    assert "Looks something up." in shown
    assert (TOKEN in shown, f"…{TOKEN[-4:]}" in shown) == (False, True)
    server = McpServer.objects.get()
    assert TOKEN.encode() not in bytes(server.secret or b"")
    assert decide(root, server, "approve").status_code == 302
    row = server.tools.get()
    assert (row.state, row.effect, row.decided_by.email) == (
        "approved",
        "reads",
        "root@example.org",
    )
    decide(root, server, "reject")
    assert state() == "rejected"
    services.refresh(server)
    assert state() == "rejected"
    assert set(acts()) == {"mcp.token_stored", "mcp.tool_approved", "mcp.tool_rejected"}


def test_a_stored_token_goes_to_the_server_it_was_entered_for(
    root: Client, server: McpServer
) -> None:
    services.store_token(server, TOKEN)
    McpServer.objects.update(auth="bearer")
    sent = {"url": "https://evil.example/mcp", "auth": "bearer", "timeout": 30}
    assert "less than or equal to 600" in root.post(
        page_of(server), sent | {"timeout": 9999}
    ).content.decode()  # fmt: skip
    answer = root.post(page_of(server), sent)
    assert "This is another server: enter its token." in unescape(answer.content.decode())
    server.refresh_from_db()
    assert server.url != sent["url"]
    moved = root.post(page_of(server), sent | {"auth": "none"})
    server.refresh_from_db()
    assert (moved.status_code, server.url, server.secret) == (302, sent["url"], None)


def test_what_changed_is_shown_and_approved_as_it_was_seen(
    root: Client, approved: McpServer, fake: FakeServer
) -> None:
    seen = approved.tools.get().pin
    fake.tools = [tool("look", "Looks something up.\nAnd sends it away.\u202e")]
    root.post(reverse("admin:agents_mcpserver_act", args=[approved.pk]))
    shown = unescape(root.get(page_of(approved)).content.decode())
    assert '<span class="added">+ And sends it away.\\u202e</span>' in shown
    assert "1 character that nobody sees" in shown
    answer = decide(root, approved, "approve", pin=seen)
    assert "Read it again" in root.get(answer["Location"]).content.decode()
    assert state() == "changed"
    decide(root, approved, "approve", effect="sends")
    assert state() == "approved"
    assert "mcp.tool_approved" in acts()
    (told,) = describe_tools(User.objects.get(email="root@example.org"))
    assert told.description == "Looks something up.\nAnd sends it away."


def test_markup_of_a_server_is_text(root: Client, server: McpServer, fake: FakeServer) -> None:
    fake.tools = [tool("look", "<script>alert(1)</script>", title="<b>x</b>")]
    services.refresh(server)
    shown = root.get(page_of(server)).content.decode()
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script>alert" not in shown


def test_who_may_only_look_decides_nothing(server: McpServer) -> None:
    clerk = User.objects.create_user("clerk@example.org", PASSWORD, is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_mcpserver"))
    client = Client()
    client.force_login(clerk)
    shown = client.get(page_of(server)).content.decode()
    assert "Looks something up." in shown
    assert 'name="decision"' not in shown
    assert decide(client, server, "approve").status_code == 403
    act = reverse("admin:agents_mcpserver_act", args=[server.pk])
    assert client.post(act).status_code == 403
    assert state() == "new"


def test_an_effect_that_there_is_not(root: Client, server: McpServer) -> None:
    assert decide(root, server, "approve", effect=Effect.NONE).status_code == 403
    assert decide(root, server, "approve", tool="x").status_code == 404


def test_a_server_in_a_private_network_is_the_operators_choice(
    root: Client, server: McpServer, settings: Any
) -> None:
    settings.PARLEY_MCP_NETWORKS = ()
    root.post(reverse("admin:agents_mcpserver_act", args=[server.pk]))
    server.refresh_from_db()
    assert "not an address of the public internet" in server.last_error
    assert server.last_error in unescape(root.get(page_of(server)).content.decode())
