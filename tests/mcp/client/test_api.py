"""Servers, tools and connections through the JSON API: an administrator's, and a person's own."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts import tokens
from accounts.models import Team, User
from agents.mcp_client import services
from agents.mcp_client.models import McpAccount, McpServer
from agents.mcp_client.sealing import client_secret_of
from tests.mcp.client.fake import FakeServer, say, tool
from tests.mcp.client.fake_issuer import FakeIssuer
from tests.mcp.client.test_oauth import PAGE, approve, browser_of, connect, start

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
SERVERS, CONNECTIONS = "/api/v1/mcp-servers", "/api/v1/connections"


class Api:
    """As a program with a token of this person calls it."""

    def __init__(self, user: User) -> None:
        _row, secret = tokens.issue(user, "test")
        self._headers = {"HTTP_AUTHORIZATION": f"Bearer {secret}"}
        self._client = Client(raise_request_exception=False)

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        sent = {} if body is None else {"data": json.dumps(body)}
        answer = self._client.generic(
            method, path, content_type="application/json", **sent, **self._headers
        )
        return answer.status_code, json.loads(answer.content) if answer.content else None


def test_a_server_is_added_checked_decided_about_and_removed(
    transactional_db: Any, fake: FakeServer, admin: User, call: Any
) -> None:
    api = Api(admin)
    status, made = api("POST", SERVERS, {"name": "wiki", "url": fake.url, "is_for_everyone": True})
    assert (status, made["name"], made["waiting"]) == (201, "wiki", 0)
    assert api("POST", SERVERS, {"name": "wiki", "url": fake.url})[0] == 422
    one = f"{SERVERS}/{made['id']}"
    assert api("POST", f"{one}/check")[1] == {
        "is_connected": True, "trouble": "", "tools": 1, "waiting": 1,
    }  # fmt: skip
    (look,) = api("GET", f"{one}/tools")[1]["items"]
    assert (look["state"], look["definition"]["name"]) == ("new", "look")
    decision = {"decision": "approve", "pin": look["pin"], "effect": "reads"}
    there = f"{one}/tools/{look['id']}/decision"
    assert api("POST", there, decision)[1]["state"] == "approved"
    assert call("wiki__look").text == "It is blue."
    fake.tools = [tool("look", "Looks something up. Then sends it on.")]
    assert api("POST", f"{one}/check")[1]["waiting"] == 1
    (look,) = api("GET", f"{one}/tools")[1]["items"]
    assert look["state"] == "changed"
    assert look["approved_definition"]["description"] == "Looks something up."
    assert api("POST", there, decision)[0] == 409  # what was read then
    rejected = {"decision": "reject", "pin": look["pin"]}
    assert api("POST", there, rejected)[1]["state"] == "rejected"
    assert api("PATCH", one, {"is_enabled": False, "timeout": 5})[1]["timeout"] == 5
    assert api("DELETE", one)[0] == 204
    assert api("GET", one)[0] == 404


def test_a_token_stays_with_the_server_it_was_entered_for(
    transactional_db: Any, fake: FakeServer, admin: User, bob: User, team: Team
) -> None:
    api, secret = Api(admin), "secret-token-0123456789"
    asked = {"name": "wiki", "url": fake.url, "auth": "bearer"}
    assert api("POST", SERVERS, asked)[0] == 422
    status, made = api("POST", SERVERS, asked | {"token": secret, "teams": [str(team.pk)]})
    assert (status, made["token_hint"][-4:]) == (201, secret[-4:])
    assert secret not in json.dumps(made)
    one = f"{SERVERS}/{made['id']}"
    assert api("PATCH", one, {"url": "https://elsewhere.example/mcp"})[0] == 422
    assert api("PATCH", one, {"people": ["bob@example.org"]})[1]["people"] == [bob.email]
    assert api("PATCH", one, {"people": ["nobody@example.org"]})[0] == 422
    moved = api(
        "PATCH", one, {"url": "https://elsewhere.example/mcp", "token": "another-0123456789"}
    )
    assert moved[1]["token_hint"][-4:] == "6789"
    assert api("PATCH", one, {"auth": "none"})[1]["token_hint"] == ""
    assert McpServer.objects.get().secret is None


@pytest.mark.parametrize(
    "body",
    [
        {}, {"name": "a__b", "url": "https://x.example"}, {"name": "x", "url": "stdio:/bin/sh"},
        {"name": "x", "url": "https://u:p@x.example"}, {"name": "x" * 21, "url": "https://x.example"},
        {"name": "x", "url": "https://x.example", "command": "/bin/sh"},
        {"name": "x", "url": "https://x.example", "timeout": 10**9},
        {"name": "x", "url": "https://x.example", "is_local": True},
        {"name": "x", "url": "http://[::1/"}, {"name": "x", "url": "http://x.example:99999/"},
        {"name": "x", "url": "https://x.example", "people": ["\0@x.example"]},
    ],
)  # fmt: skip
def test_what_is_no_server_is_refused(transactional_db: Any, admin: User, body: Any) -> None:
    assert Api(admin)("POST", SERVERS, body)[0] == 422


def test_a_program_of_the_operators_is_not_moved_nor_removed(
    transactional_db: Any, admin: User
) -> None:
    server = McpServer.objects.create(name="here", is_local=True)
    one, api = f"{SERVERS}/{server.pk}", Api(admin)
    assert api("PATCH", one, {"url": "https://x.example"})[0] == 422
    assert api("DELETE", one)[0] == 422
    assert api("PATCH", one, {"is_for_everyone": True})[1]["is_for_everyone"] is True


def test_a_server_that_is_away_is_said_to_be(transactional_db: Any, admin: User) -> None:
    server = McpServer.objects.create(name="gone", url="http://127.0.0.1:9/mcp", auth="oauth")
    server.people.add(admin)
    api = Api(admin)
    status, said = api("POST", f"{SERVERS}/{server.pk}/check")
    assert (status, said["is_connected"], bool(said["trouble"])) == (200, False, True)
    status, said = api("POST", f"{CONNECTIONS}/{server.pk}")
    assert (status, said["type"].rpartition(":")[2]) == (409, "server-trouble")


@pytest.fixture
def issuer(fake: FakeServer) -> FakeIssuer:
    return FakeIssuer(fake)


@pytest.fixture
def personal(transactional_db: Any, fake: FakeServer, issuer: FakeIssuer) -> McpServer:
    made: McpServer = McpServer.objects.create(
        name="wiki", url=fake.url, auth="oauth", is_for_everyone=True, timeout=20
    )
    return made


def test_a_connection_begun_by_a_program_is_ended_in_the_persons_browser(
    personal: McpServer, issuer: FakeIssuer, alice: User, bob: User
) -> None:
    api = Api(alice)
    assert api("GET", CONNECTIONS)[1][0]["status"] == "none"
    answer = issuer.agree(api("POST", f"{CONNECTIONS}/{personal.pk}")[1]["url"])
    said = browser_of(bob).get(f"{PAGE}back", answer, follow=True).content.decode()
    assert "not the answer to what you began" in said
    browser_of(alice).get(f"{PAGE}back", answer)
    assert [one.user for one in McpAccount.objects.all()] == [alice]
    assert api("GET", CONNECTIONS)[1][0]["status"] == "connected"
    assert api("DELETE", f"{CONNECTIONS}/{personal.pk}") == (200, {"revoked": None})
    assert api("GET", CONNECTIONS)[1][0]["status"] == "none"


def test_what_a_program_began_is_ended_over_what_was_left_in_the_browser(
    personal: McpServer, issuer: FakeIssuer, alice: User
) -> None:
    browser = browser_of(alice)
    left = start(browser, personal)
    answer = issuer.agree(Api(alice)("POST", f"{CONNECTIONS}/{personal.pk}")[1]["url"])
    said = browser.get(f"{PAGE}back", answer, follow=True).content.decode()
    assert "wiki is connected." in said
    answer = issuer.agree(left)  # and that is still there to be ended
    browser.get(f"{PAGE}back", answer)
    assert issuer.count == 2


def test_a_client_secret_that_comes_with_another_address_is_kept(
    personal: McpServer, admin: User
) -> None:
    one, api = f"{SERVERS}/{personal.pk}", Api(admin)
    moved = {
        "url": "https://elsewhere.example/mcp",
        "client_id": "new",
        "token": "secret-0123456789",
    }
    assert api("PATCH", one, moved)[0] == 200
    personal.refresh_from_db()
    assert (personal.client_id, client_secret_of(personal)) == ("new", "secret-0123456789")
    assert api("PATCH", one, {"auth": "bearer", "token": "another-9876543210"})[0] == 200
    personal.refresh_from_db()
    assert client_secret_of(personal) == "another-9876543210"
    assert api("PATCH", one, {"auth": "oauth", "token": "third-0123456789"})[0] == 200
    personal.refresh_from_db()
    assert client_secret_of(personal) == "third-0123456789"


def test_tokens_are_taken_back_where_they_came_from(
    personal: McpServer, issuer: FakeIssuer, alice: User
) -> None:
    issuer.metadata["revocation_endpoint"] = f"{issuer.origin}/revoke"
    browser = browser_of(alice)
    connect(browser, personal, issuer)
    approve(personal, alice)
    issuer.server.site.pages["/revoke"] = issuer.revoke  # type: ignore[index]
    assert Api(alice)("DELETE", f"{CONNECTIONS}/{personal.pk}")[1] == {"revoked": True}
    assert [one["token_type_hint"] for one in issuer.revoked] == ["refresh_token", "access_token"]
    assert issuer.revoked[0]["token"].startswith("refresh-1")
    assert issuer.revoked[0]["client_id"] == "parley-1"


def test_who_cannot_be_told_is_said_and_nothing_stays_here(
    personal: McpServer, issuer: FakeIssuer, alice: User
) -> None:
    issuer.metadata["revocation_endpoint"] = f"{issuer.origin}/revoke"
    browser = browser_of(alice)
    connect(browser, personal, issuer)
    issuer.server.site.pages["/revoke"] = lambda h: say(h, {}, status=503)  # type: ignore[index]
    shown = browser.post(f"{PAGE}{personal.pk}/disconnect", follow=True).content.decode()
    assert "could not be told" in shown
    assert not McpAccount.objects.exists()
    assert services.token_hint(personal) == ""
