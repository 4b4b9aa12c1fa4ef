"""Who may call, how much, and for how long: the token says, at every moment."""

import json
import threading
import time
from uuid import uuid4

import pytest

from accounts import services, tokens
from accounts.budgets.models import Budget
from observability.remembered import SECONDS as REMEMBERED_SECONDS
from security.models import AuditEntry
from tests.mcp import raw
from tests.mcp.conftest import LEGACY, MODERN, QUESTION, SEARCHES, words
from tests.support.model_server import Script

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
]
ENDLESS = Script(text="word " * 4000, token_size=5, delay=0.05)


def test_no_token_and_a_wrong_one_are_told_where_to_look(served, web_port, key, alice):
    headers, body = raw.modern("tools/list")
    status, told, content = raw.send(web_port, body, **headers)
    place = f"http://127.0.0.1:{web_port}/.well-known/oauth-protected-resource/mcp"
    assert (status, told["WWW-Authenticate"]) == (401, f'Bearer resource_metadata="{place}"')
    assert json.loads(content)["error"]["message"]
    assert raw.send(web_port, body, key=key, **headers)[0] == 200
    tokens.revoke(alice.api_tokens.get())
    status, told, _ = raw.send(web_port, body, key=key, **headers)
    assert status == 401
    assert told["WWW-Authenticate"] == (
        f'Bearer error="invalid_token", resource_metadata="{place}"'
    )
    status, _, content = raw.send(web_port, method="GET", path=place.split("/", 3)[3])
    assert (status, json.loads(content)["resource"]) == (200, f"http://127.0.0.1:{web_port}/mcp")


def test_a_narrowed_token_does_what_its_scopes_say(visit, call, served, handbook, web_port, alice):
    def listed(key):
        return {tool.name for tool in visit(key, lambda client: client.list_tools()).tools}

    reading, asking, writing = (
        tokens.issue(alice, scope, [scope])[1] for scope in ("read", "chat", "write")
    )
    assert listed(reading) == {"search", "read_document", "list_collections", "list_agents"}
    assert listed(asking) == {"list_agents", "ask_agent"}
    refused = call(reading, "ask_agent", question=QUESTION)
    assert refused.is_error
    assert "scope" in words(refused)
    assert call(asking, "read_document", document_id=str(handbook.pk)).is_error
    headers, body = raw.modern("tools/list")
    status, told, _ = raw.send(web_port, body, key=writing, **headers)
    assert status == 403
    assert 'error="insufficient_scope"' in told["WWW-Authenticate"]
    assert served.chat_requests == []


def test_each_call_is_in_the_audit_log_without_its_words(call, served, handbook, key, alice):
    gone = str(uuid4())
    call(key, "list_collections")
    call(key, "search", query=QUESTION)
    call(key, "read_document", document_id=str(handbook.pk))
    call(key, "read_document", document_id=gone)
    call(key, "ask_agent", question=QUESTION, agent="clerk")
    token = alice.api_tokens.get()
    entries = AuditEntry.objects.filter(act="mcp.called", token_id=token.pk).order_by("pk")
    assert [(one.title, one.detail["about"], one.detail["outcome"]) for one in entries] == [
        ("list_collections", "", "answered"),
        ("search", "", "answered"),
        ("read_document", str(handbook.pk), "answered"),
        ("read_document", gone, "refused"),
        ("ask_agent", "clerk", "answered"),
    ]
    assert {(one.actor_id, one.address) for one in entries} == {(alice.pk, "127.0.0.1")}
    assert "vacation" not in str(list(entries.values("title", "detail"))).lower()


def test_rates_and_budgets_hold(visit, call, served, handbook, key, alice):
    async def many(client):
        asked = {"query": "Vacation?"}
        return [await client.call_tool("search", asked) for _ in range(2 * SEARCHES)]

    first, *_, last = visit(key, many)
    assert (first.is_error, last.is_error) == (False, True)
    assert "Rate limit" in words(last)
    Budget.objects.create(name="None", scope="user", user=alice, unit="tokens", limit=1)
    time.sleep(REMEMBERED_SECONDS)  # so long the server may know the budgets of before
    spent = call(key, "ask_agent", question=QUESTION, agent="clerk")
    assert spent.is_error
    assert "budget" in words(spent).lower()
    assert served.chat_requests == []


@pytest.mark.parametrize("speak", [raw.legacy, raw.modern], ids=[LEGACY, MODERN])
def test_a_client_that_goes_away_stops_the_upstream(served, handbook, web_port, key, speak):
    served.default = ENDLESS
    asked = {"question": QUESTION, "agent": "clerk"}
    meta = {"progressToken": 1}
    headers, body = speak("tools/call", name="ask_agent", arguments=asked, _meta=meta)
    raw.open_stream(web_port, headers, body, key).close()
    assert served.wait_for(lambda server: server.disconnects == 1, 30)


@pytest.mark.parametrize("how", ["revoked", "disabled"])
def test_whoever_loses_the_right_to_ask_hears_no_more(call, served, handbook, key, alice, how):
    served.default = ENDLESS
    heard = []
    asking = threading.Thread(
        target=lambda: heard.append(call(key, "ask_agent", question=QUESTION, agent="clerk"))
    )
    asking.start()
    assert served.wait_for(lambda server: len(server.chat_requests) == 1, 60)
    tokens.revoke(alice.api_tokens.get()) if how == "revoked" else services.disable(alice)
    asking.join(60)
    (result,) = heard
    assert result.is_error
    assert "API key" in words(result)
    assert served.wait_for(lambda server: server.disconnects == 1, 30)
