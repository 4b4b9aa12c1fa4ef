"""A person connects an account of theirs: PKCE, a state of their session, tokens kept sealed."""

import asyncio
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from html import unescape
from http import HTTPStatus
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.departures import delete_user
from accounts.models import User
from agents.mcp_client import managing, services
from agents.mcp_client.leaving import TAKE_BACK
from agents.mcp_client.models import McpAccount, McpRevocation, McpServer
from agents.mcp_client.oauth import accounts
from agents.mcp_client.types import ServerTrouble
from agents.tools.types import Effect, ToolRefused
from events import jobs
from events.models import Job
from security.models import AuditEntry
from tests.mcp.client.fake import FakeServer, Handler, say
from tests.mcp.client.fake_issuer import FakeIssuer
from tests.support.web import listen

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
PAGE = "/settings/connections/"


@pytest.fixture
def issuer(fake: FakeServer) -> FakeIssuer:
    return FakeIssuer(fake)


@pytest.fixture
def personal(transactional_db: Any, fake: FakeServer, issuer: FakeIssuer) -> McpServer:
    made: McpServer = McpServer.objects.create(
        name="wiki", url=fake.url, auth="oauth", is_for_everyone=True, timeout=20
    )
    return made


@pytest.fixture
def browser(alice: User) -> Client:
    return browser_of(alice)


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def start(client: Client, server: McpServer) -> str:
    """Where the page leads on to."""
    shown = client.post(f"{PAGE}{server.pk}/connect").content.decode()
    (address,) = re.findall(r'class="btn primary" href="([^"]+/authorize[^"]*)"', shown)
    return unescape(address)


def connect(client: Client, server: McpServer, issuer: FakeIssuer, **said: str) -> str:
    answer = issuer.agree(start(client, server)) | said
    return unescape(client.get(f"{PAGE}back", answer, follow=True).content.decode())


def approve(server: McpServer, user: User) -> None:
    assert services.refresh(server, by=user) == ""
    row = server.tools.get()
    assert services.approve(row, row.pin, Effect.SENDS, by=user)


def acts() -> list[str]:
    return [one.act for one in AuditEntry.objects.filter(act__contains="connected").order_by("at")]


def test_from_connecting_to_calling_to_disconnecting(
    personal: McpServer, issuer: FakeIssuer, browser: Client, alice: User, bob: User, call: Any
) -> None:
    assert "Not connected" in browser.get(PAGE).content.decode()
    assert "wiki is connected." in connect(browser, personal, issuer)
    assert issuer.asked["resource"] == personal.url
    assert issuer.asked["scope"] == "look"
    assert issuer.registered[0]["redirect_uris"] == [issuer.asked["redirect_uri"]]
    approve(personal, alice)
    assert call("wiki__look").text == "It is blue."
    with pytest.raises(ToolRefused, match="needs you to connect"):
        call("wiki__look", user=bob)
    assert "Connected since" in browser.get(PAGE).content.decode()
    browser.post(f"{PAGE}{personal.pk}/disconnect")
    with pytest.raises(ToolRefused, match="needs you to connect"):
        call("wiki__look")
    assert acts() == ["mcp.connected", "mcp.disconnected"]
    connect(browser, personal, issuer)
    assert len(issuer.registered) == 1


def test_s20_tokens_are_sealed_and_shown_nowhere(
    personal: McpServer, issuer: FakeIssuer, browser: Client, fake: FakeServer
) -> None:
    shown = connect(browser, personal, issuer)
    account = McpAccount.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("select row_to_json(a)::text from agents_mcpaccount a")
        row = cursor.fetchone()[0]
    for secret in (fake.token, "refresh-1"):
        assert secret not in shown + row
        assert secret.encode().hex() not in row
    elsewhere = McpAccount(server=personal, user=account.user, secret=account.secret)
    account.delete()
    elsewhere.expires_at = timezone.now() + timedelta(days=1)
    elsewhere.save()  # moved to another row, it does not open
    with pytest.raises(ServerTrouble):
        asyncio.run(accounts.token_for(account.user, personal))


def of_the_server(personal: McpServer, alice: User) -> None:
    managing.delete_server(alice, personal.pk)


def of_its_address(personal: McpServer, alice: User) -> None:
    managing.change_server(alice, personal.pk, {"url": "https://elsewhere.example/mcp"})


def of_its_address_and_client(personal: McpServer, alice: User) -> None:
    moved = {"url": "https://elsewhere.example/mcp", "client_id": "new", "token": "of-the-new-one"}
    managing.change_server(alice, personal.pk, moved)


def of_its_authorization(personal: McpServer, alice: User) -> None:
    managing.change_server(alice, personal.pk, {"auth": "none"})


def on_its_page(alice: User, personal: McpServer, **changed: str) -> None:
    sent = {"url": personal.url, "auth": "oauth", "timeout": 20, "is_enabled": "on"} | changed
    page = reverse("admin:agents_mcpserver_change", args=[personal.pk])
    assert browser_of(alice).post(page, sent).status_code == HTTPStatus.FOUND


def of_its_address_and_client_on_its_page(personal: McpServer, alice: User) -> None:
    on_its_page(alice, personal, url="https://elsewhere.example/mcp", client_id="new", token="x")


def of_its_authorization_on_its_page(personal: McpServer, alice: User) -> None:
    on_its_page(alice, personal, auth="none", client_id="parley-1")


def of_the_person(personal: McpServer, alice: User) -> None:
    delete_user(alice)


GONE = [
    of_the_server, of_its_address, of_its_address_and_client, of_its_authorization,
    of_its_address_and_client_on_its_page, of_its_authorization_on_its_page, of_the_person,
]  # fmt: skip


@pytest.mark.parametrize("end", GONE, ids=lambda one: one.__name__)
def test_tokens_are_taken_back_when_their_server_or_person_goes(
    personal: McpServer, issuer: FakeIssuer, fake: FakeServer, alice: User, end: Any
) -> None:
    alice.is_staff = alice.is_superuser = True
    alice.save()
    issuer.metadata["revocation_endpoint"] = f"{issuer.origin}/revoke"
    fake.site.pages["/revoke"] = lambda h: say(h, {}, status=503)  # type: ignore[index]
    issuer.client_secret = "of-parley-1"
    connect(browser_of(alice), personal, issuer)
    end(personal, alice)
    assert not McpAccount.objects.exists()
    job = Job.objects.get(task=TAKE_BACK)
    assert fake.token not in str(job.arguments)
    jobs.run(str(job.pk))  # nobody is there: it is tried again
    assert McpRevocation.objects.count() == 1
    fake.site.pages["/revoke"] = issuer.revoke  # type: ignore[index]
    jobs.run(str(job.pk))
    assert [one["token_type_hint"] for one in issuer.revoked] == ["refresh_token", "access_token"]
    assert issuer.revoked[1]["token"] == fake.token
    us = {(one["client_id"], one["client_secret"]) for one in issuer.revoked}
    assert us == {("parley-1", "of-parley-1")}
    assert not McpRevocation.objects.exists()


def test_a_token_that_is_renewed_while_its_account_goes_is_the_one_taken_back(
    personal: McpServer, issuer: FakeIssuer, browser: Client
) -> None:
    issuer.metadata["revocation_endpoint"] = f"{issuer.origin}/revoke"
    issuer.server.site.pages["/revoke"] = issuer.revoke  # type: ignore[index]
    connect(browser, personal, issuer)
    account = McpAccount.objects.get()
    renewed, is_written = accounts.Tokens("access-2", "refresh-2", 2e9), threading.Event()

    def renew() -> None:
        try:
            with transaction.atomic():
                kept = accounts._readable(account)
                assert kept
                assert accounts._store(account, renewed, kept)
                is_written.set()
                wait_for_a_waiter()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(renew)
        assert is_written.wait(60)
        services.remove_server(personal)
        done.result()
    jobs.run(str(Job.objects.get(task=TAKE_BACK).pk))
    assert [one["token"] for one in issuer.revoked] == ["refresh-2", "access-2"]


def wait_for_a_waiter() -> None:
    """Until somebody stands behind a lock of this transaction."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "select 1 from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))"
            )
            if cursor.fetchone():
                return
        time.sleep(0.02)
    raise AssertionError("nobody came")


def test_tokens_that_no_server_takes_back_are_forgotten_at_last_and_that_is_logged(
    personal: McpServer, issuer: FakeIssuer, browser: Client, caplog: pytest.LogCaptureFixture
) -> None:
    issuer.metadata["revocation_endpoint"] = f"{issuer.origin}/revoke"
    issuer.server.site.pages["/revoke"] = lambda h: say(h, {}, status=503)  # type: ignore[index]
    connect(browser, personal, issuer)
    services.remove_server(personal)
    job = Job.objects.get(task=TAKE_BACK)
    said = "tokens at wiki were not taken back"
    for _attempt in range(job.max_attempts - 1):
        jobs.run(str(job.pk))
    assert McpRevocation.objects.count() == 1
    assert said not in caplog.text
    jobs.run(str(job.pk))
    assert not McpRevocation.objects.exists()
    assert caplog.text.count(said) == 1


def test_tokens_are_forgotten_with_a_job_that_is_called_off(transactional_db: Any) -> None:
    row = McpRevocation.objects.create(server_name="wiki")
    job = jobs.enqueue(TAKE_BACK, {"revocation_id": str(row.pk)}, subject_id=row.pk)
    jobs.request_cancel(job.pk)
    assert not McpRevocation.objects.exists()


@pytest.mark.parametrize("said", [{"state": "other"}, {"iss": "https://evil.example"}, {"iss": ""}])
def test_an_answer_to_somebody_else_connects_nobody(
    personal: McpServer, issuer: FakeIssuer, browser: Client, said: dict[str, str]
) -> None:
    assert "not the answer to what you began" in connect(browser, personal, issuer, **said)
    assert (McpAccount.objects.count(), issuer.grants) == (0, [])


def test_a_code_of_one_session_is_nothing_in_another(
    personal: McpServer, issuer: FakeIssuer, browser: Client, bob: User
) -> None:
    answer = issuer.agree(start(browser, personal))
    other = browser_of(bob)
    for client in (other, browser):
        client.get(f"{PAGE}back", answer)
    assert [one.user.email for one in McpAccount.objects.all()] == ["alice@example.org"]
    said = browser.get(f"{PAGE}back", answer, follow=True).content.decode()  # used up
    assert "not the answer to what you began" in said
    assert browser.get(f"{PAGE}back", {"error": "access_denied"}).status_code == 302


def test_tokens_are_renewed_ahead_of_time_and_once(
    personal: McpServer, issuer: FakeIssuer, browser: Client, alice: User
) -> None:
    connect(browser, personal, issuer)
    McpAccount.objects.update(expires_at=timezone.now() + timedelta(seconds=30))

    async def together() -> list[str]:
        return await asyncio.gather(*(accounts.token_for(alice, personal) for _ in range(5)))

    tokens = asyncio.run(together())
    assert len(set(tokens)) == 1
    assert tokens[0].startswith("access-2-")
    assert [one["grant_type"] for one in issuer.grants] == ["authorization_code", "refresh_token"]


def test_a_token_that_is_refused_is_renewed_and_else_the_person_is_asked(
    personal: McpServer, issuer: FakeIssuer, browser: Client, alice: User, call: Any,
    fake: FakeServer,
) -> None:  # fmt: skip
    connect(browser, personal, issuer)
    approve(personal, alice)
    fake.token = "changed behind our back"
    assert call("wiki__look").text == "It is blue."
    fake.token = "and again"
    issuer.refuses = {"refresh_token"}
    with pytest.raises(ToolRefused, match="needs you to connect"):
        call("wiki__look")
    assert "connect again" in browser.get(PAGE).content.decode()
    issuer.refuses = set()
    connect(browser, personal, issuer)
    assert call("wiki__look").text == "It is blue."


@pytest.mark.parametrize("how", ["disconnected", "moved"])
def test_what_is_forgotten_while_its_token_is_renewed_stays_forgotten(
    personal: McpServer, issuer: FakeIssuer, browser: Client, alice: User, how: str
) -> None:
    issuer.metadata["revocation_endpoint"] = f"{issuer.origin}/revoke"
    connect(browser, personal, issuer)

    def token(handler: Handler) -> None:
        if how == "disconnected":
            accounts.disconnect(alice, personal)
        else:
            services.forget_authorization(personal, keeps_client=False)
        connection.close()
        issuer.token(handler)

    issuer.server.site.pages |= {"/revoke": issuer.revoke, "/token": token}  # type: ignore[operator]
    with pytest.raises(ServerTrouble) as raised:
        asyncio.run(accounts.token_for(alice, personal, anew=True))
    assert raised.value.needs_sign_in
    assert not McpAccount.objects.exists()
    assert [one["token"][:9] for one in issuer.revoked[-2:]] == ["refresh-2", "access-2-"]
    assert issuer.revoked[-1]["client_id"] == "parley-1"


def test_s59_a_token_never_goes_to_another_host(
    personal: McpServer, issuer: FakeIssuer, browser: Client, alice: User
) -> None:
    connect(browser, personal, issuer)
    McpServer.objects.update(url="http://127.0.0.3:9/mcp")
    personal.refresh_from_db()
    with pytest.raises(ServerTrouble):
        asyncio.run(accounts.token_for(alice, personal))


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("token_endpoint", "http://127.0.0.1:{port}/token"),
        ("registration_endpoint", "http://localhost:{port}/register"),
    ],
)
def test_s59_metadata_that_points_inside_is_not_followed(
    personal: McpServer, issuer: FakeIssuer, browser: Client, part: str, value: str
) -> None:
    with listen() as canary:
        issuer.metadata[part] = value.format(port=canary.port)
        if part == "token_endpoint":
            assert "public internet" in connect(browser, personal, issuer)
        else:
            browser.post(f"{PAGE}{personal.pk}/connect")
        assert canary.connections == []
    assert not McpAccount.objects.exists()


@pytest.mark.parametrize(
    ("of", "change"),
    [
        ("metadata", {"issuer": "https://evil.example"}),
        ("metadata", {"code_challenge_methods_supported": ["plain"]}),
        ("metadata", {"authorization_endpoint": "javascript:alert(1)"}),
        ("resource", {"resource": "https://evil.example/mcp"}),
        ("metadata", {"registration_endpoint": None}),
    ],
)
def test_what_does_not_fit_together_leads_nowhere(
    personal: McpServer, issuer: FakeIssuer, browser: Client, of: str, change: dict[str, Any]
) -> None:
    getattr(issuer, of).update(change)
    shown = browser.post(f"{PAGE}{personal.pk}/connect", follow=True).content.decode()
    assert "/authorize" not in shown
    assert 'role="alert"' in shown or "toast" in shown
    assert issuer.registered == []


def test_a_client_that_an_administrator_entered(
    personal: McpServer, issuer: FakeIssuer, browser: Client
) -> None:
    issuer.metadata["registration_endpoint"] = None
    McpServer.objects.update(client_id="by-hand")
    assert "wiki is connected." in connect(browser, personal, issuer)
    assert issuer.asked["client_id"] == "by-hand"
    personal.refresh_from_db()
    assert personal.issuer == issuer.origin
    services.forget_authorization(personal, keeps_client=False)
    assert (personal.client_id, McpAccount.objects.count()) == ("", 0)
