"""What is secret appears nowhere but where it was entered: known secrets, and every way out."""

import json
import logging
import re
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import tokens
from accounts.models import User
from agents.mcp_client.models import McpServer
from agents.mcp_client.services import store_token
from chat.models import Message
from chat.services import start_turn
from chat.sharing.links import make_link
from events.models import Job
from gateway.models import Endpoint
from gateway.services import store_key
from security.models import AuditEntry
from tests.admin.conftest import furnish, root_client
from tests.support.cast import PASSWORD, Api

__all__ = ["furnish", "root_client"]
pytestmark = pytest.mark.django_db

KEY = "sk-proj-Zq81nVt0LmXc72RbWqA9"
MCP_TOKEN = "mcp-Hn52kPq9sZxWv38TdYbG"
END = KEY[-4:]
SECRET_FIELD = re.compile(r"(^|_)(token|token_id|digest|link)$")


@pytest.fixture
def secrets(alice: User, furnish) -> dict[str, str]:
    """One of each kind, put where it belongs through the product's own functions."""
    furnish(1)
    store_key(Endpoint.objects.get(name="E1"), KEY)
    store_token(McpServer.objects.get(name="s1"), MCP_TOKEN)
    _, token = tokens.issue(alice, "laptop")
    return {"provider key": KEY, "token": token, "password": PASSWORD, "MCP token": MCP_TOKEN}


def found_in(text: str, secrets: dict[str, str]) -> list[str]:
    """Names of the secrets of which more than the last four characters are in `text`."""
    return [name for name, secret in secrets.items() if secret[4:-4] in text]


def test_s20_no_table_holds_a_secret_in_the_clear(secrets: dict[str, str], admin: User) -> None:
    """The same rows as a plain dump: COPY of every table, as text and as bytes."""
    leaks = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            with cursor.copy(f'copy (select * from "{table}") to stdout') as rows:
                dump = b"".join(bytes(piece) for piece in rows)
            bytea = dump.replace(b"\\\\x", b"")
            for name, secret in secrets.items():
                plain = secret[4:-4].encode()
                if plain in dump or plain.hex().encode() in bytea:
                    leaks.append(f"{name} in {table}")
    assert leaks == []
    assert bytes(Endpoint.objects.get(name="E1").secret or b"")


def test_s15_a_token_is_160_random_bits_shown_once_and_found_by_its_prefix(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    made = client.post(reverse("accounts:create_token"), {"name": "laptop", "days": "0"})
    token = alice.api_tokens.get()
    shown = made.context["plaintext"]
    assert len(shown.rpartition("_")[2]) * 5 == 160
    assert shown in made.content.decode()
    again = client.get(reverse("accounts:tokens")).content.decode()
    assert shown not in again
    assert token.prefix in again
    assert alice.api_tokens.filter(prefix=token.prefix).get() == token


def test_s19_no_admin_page_shows_more_than_the_end(
    secrets: dict[str, str], root_client: Client
) -> None:
    leaks, read = [], 0
    request = root_client.get("/").wsgi_request
    for model, page in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        addresses = [reverse(f"{name}_changelist")]
        row = page.get_queryset(request).first()
        if row is not None:
            addresses += [
                reverse(f"{name}_{kind}", args=[row.pk]) for kind in ("change", "history")
            ]
        for address in addresses:
            response = root_client.get(address)
            read += response.status_code == 200
            leaks += [
                f"{found} at {address}" for found in found_in(response.content.decode(), secrets)
            ]
    assert leaks == []
    assert read > 60
    endpoint = reverse("admin:gateway_endpoint_change", args=[Endpoint.objects.get(name="E1").pk])
    assert f"…{END}" in root_client.get(endpoint).content.decode()


def test_s19_no_api_answer_shows_a_secret(secrets: dict[str, str], alice: User, api_for) -> None:
    api = api_for(alice)
    for path in ("/me", "/agents", "/collections", "/documents", "/conversations", "/openapi.json"):
        response = api.get(path)
        assert response.status_code == 200, path
        assert found_in(response.content.decode(), secrets | {"own token": api.token}) == [], path


def test_s19_no_log_line_nor_traceback_shows_a_secret(
    secrets: dict[str, str], capfd: Any, caplog: Any, rf: Any, settings
) -> None:
    """Not of a refused sign-in, a bad token, nor of an exception while a key was at hand."""
    settings.DEBUG = False
    caplog.set_level(logging.DEBUG)
    client = Client(raise_request_exception=False)
    wrong = {"login": "alice@example.org", "password": PASSWORD + "!"}
    client.post(reverse("account_login"), wrong)
    bearer = {"HTTP_AUTHORIZATION": f"Bearer {secrets['token']}"}
    client.get("/api/v1/me", **bearer)
    client.get("/api/v1/me", HTTP_AUTHORIZATION=f"Bearer {secrets['token']}x")
    endpoint = Endpoint(name="broken", base_url="http://127.0.0.1:9/v1")
    endpoint.id = None  # type: ignore[assignment]
    try:
        store_key(endpoint, KEY)
    except Exception:
        logging.getLogger("parley").exception("storing failed")
    said = "".join(capfd.readouterr()) + caplog.text
    assert said
    assert found_in(said, secrets) == []


def test_s19_no_job_payload_or_audit_entry_holds_a_secret(secrets: dict[str, str]) -> None:
    jobs = [json.dumps(job.arguments) for job in Job.objects.all()]
    entries = [json.dumps(list(row), default=str) for row in AuditEntry.objects.values_list()]
    assert jobs
    assert any("key.stored" in entry for entry in entries)
    for text in jobs + entries:
        assert found_in(text, secrets) == [], text


def test_s16_the_token_of_a_link_opens_nothing_else(alice: User) -> None:
    """It is a way to read one thing: no credential of the API, no session, and not stored."""
    turn = start_turn(alice, None, "Is it so?")
    Message.objects.filter(pk=turn.answer_id).update(text="It is.", status="complete")
    _link, token = make_link(alice, turn.conversation_id)
    for credential in (token, f"par_{token}", f"par_{token[:8].lower()}_{token[8:40].lower()}"):
        assert Api(credential).get("/me").status_code == 401
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = token
    assert client.get("/api/v1/me").status_code == 401
    fields = {
        f"{model._meta.label}.{field.name}" for model in apps.get_models()
        for field in model._meta.get_fields() if SECRET_FIELD.search(field.name)
    }  # fmt: skip
    known = {"accounts.ApiToken.digest", "chat.SharedLink.digest"}
    known |= {"agents.Approval.digest"}  # of a call, which is no credential
    # By whose API token, never the token:
    known |= {"accounts.Budget.token", "chat.Turn.token_id", "security.AuditEntry.token_id"}
    known |= {f"gateway.Usage{of}.token_id" for of in ("", "Day", "Hour")}
    assert fields == known
