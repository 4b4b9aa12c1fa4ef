"""The inbox and the API: exactly what would be done is shown, and the answer is to that."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import tokens
from agents.approvals.digests import canonical, digest_of
from agents.models import Agent, Approval, McpAccount, McpServer, ToolPermission
from security.ids import new_id

pytestmark = pytest.mark.django_db
PAGE = "/settings/approvals/"


@pytest.fixture
def waiting(alice) -> Approval:
    arguments, run = canonical({"to": "bob\u202e@example.org", "text": "<b>Ahoj</b>"}), new_id()
    return Approval.objects.create(
        owner=alice, agent=Agent.objects.create(owner=alice, name="Clerk", slug="clerk"),
        run_id=run, call_id="call_1", conversation_id=new_id(), tool="send_mail",
        title="Send mail", arguments=arguments, effect="sends", longest="always",
        digest=digest_of("send_mail", "", arguments, alice.pk, run),
        expires_at=timezone.now() + timedelta(hours=1),
    )  # fmt: skip


@pytest.fixture
def browser(alice) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def test_the_card_prints_every_byte_also_what_nobody_sees(browser, waiting):
    html = browser.get(PAGE).content.decode()
    assert "bob\\u202e@example.org" in html
    assert "\u202e" not in html
    assert "&lt;b&gt;Ahoj&lt;/b&gt;" in html
    assert "Nothing waits" not in html


def test_however_many_wait_for_an_account_it_costs_the_same(browser, alice, waiting):
    server = McpServer.objects.create(name="wiki", url="https://x.example", is_for_everyone=True)

    def ask(status: str) -> None:
        Approval.objects.create(
            owner=alice, run_id=new_id(), call_id="call_1", kind="sign_in", tool="wiki__look",
            title="Look", server="wiki", arguments="{}", effect="reads", status=status,
            digest="0" * 64, expires_at=timezone.now() + timedelta(hours=1),
        )  # fmt: skip

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            html = browser.get(PAGE).content.decode()
        assert html.count(f"/settings/connections/{server.pk}/connect") == len(
            Approval.objects.filter(kind="sign_in", status="waiting")
        )
        return len(found)

    queries()
    without = queries()
    ask("denied")
    assert queries() == without
    ask("waiting")
    assert queries() == without + 2
    ask("waiting")
    ask("approved")
    assert queries() == without + 2
    McpAccount.objects.create(server=server, user=alice, is_broken=True)
    assert browser.get(PAGE).content.decode().count("Connect again to wiki") == 2


def test_a_click_answers_to_what_was_shown(browser, waiting):
    form = {"answer": "approve", "digest": waiting.digest, "scope": "always"}
    wrong = browser.post(f"{PAGE}{waiting.pk}/decide", form | {"digest": "0" * 64})
    assert "not what would be done" in wrong.content.decode()
    assert browser.post(f"{PAGE}{waiting.pk}/decide", form).status_code == 302
    waiting.refresh_from_db()
    assert (waiting.status, waiting.scope) == ("approved", "always")
    again = browser.post(f"{PAGE}{waiting.pk}/decide", form, headers={"HX-Request": "true"})
    assert "decided before" in again.content.decode()
    permission = ToolPermission.objects.get()
    assert "Take back" in browser.get(PAGE).content.decode()
    browser.post(f"{PAGE}permissions/{permission.pk}/revoke")
    assert not ToolPermission.objects.exists()


def test_what_is_no_answer_is_none(browser, waiting):
    form = {"digest": waiting.digest}
    for answer in ("", "maybe"):
        place = f"{PAGE}{waiting.pk}/decide"
        assert browser.post(place, form | {"answer": answer}).status_code == 404
    endless = {"answer": "approve", "scope": "forever"}
    assert "shorter time" in browser.post(place, form | endless).content.decode()
    waiting.refresh_from_db()
    assert waiting.status == "waiting"


def api(user, *scopes) -> Client:
    _row, bearer = tokens.issue(user, "t", list(scopes))
    client = Client()
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {bearer}"
    return client


def test_the_api_lists_reads_and_decides(alice, bob, waiting):
    client = api(alice)
    [listed] = client.get("/api/v1/approvals?status=waiting").json()["items"]
    place = f"/api/v1/approvals/{waiting.pk}"
    assert client.get(place).json() == listed
    assert listed["scopes"] == ["once", "conversation", "always"]
    body = {"decision": "approve", "digest": listed["digest"], "scope": "conversation"}
    ask = {"content_type": "application/json"}
    assert api(bob).post(f"{place}/decision", body, **ask).status_code == 404
    assert api(alice, "chat").post(f"{place}/decision", body, **ask).status_code == 403
    swapped = client.post(f"{place}/decision", body | {"digest": "0" * 64}, **ask)
    assert (swapped.status_code, swapped.json()["type"]) == (
        409, "urn:parley:problem:approval-refused",
    )  # fmt: skip
    assert client.post(f"{place}/decision", body, **ask).json()["status"] == "approved"
    assert client.post(f"{place}/decision", body, **ask).status_code == 409
    [permission] = client.get("/api/v1/tool-permissions").json()["items"]
    assert permission["conversation_id"] == listed["conversation_id"]
    gone = f"/api/v1/tool-permissions/{permission['id']}"
    assert [client.delete(gone).status_code for _ in range(2)] == [204, 404]


def test_for_longer_than_the_policy_wants_is_refused(alice, waiting):
    Approval.objects.update(longest="once")
    body = {"decision": "approve", "digest": waiting.digest, "scope": "always"}
    place = f"/api/v1/approvals/{waiting.pk}/decision"
    refused = api(alice).post(place, body, content_type="application/json")
    assert (refused.status_code, refused.json()["type"]) == (
        422, "urn:parley:problem:not-for-so-long",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "was_given"), [("used", True), ("denied", False), ("expired", False)]
)
def test_what_was_not_approved_was_not_handed_over(browser, waiting, status, was_given):
    Approval.objects.update(status=status)
    html = browser.get(PAGE).content.decode()
    assert ("What was handed over" in html) is was_given
    assert ("What would have been handed over" in html) is not was_given
