"""What an agent wants to do is read and answered by keyboard, on every screen."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from agents.approvals.digests import canonical, digest_of
from agents.models import Agent, Approval, ToolPermission
from security.ids import new_id
from tests.browser.pages.conftest import PHONE, accessibility_violations

PAGE = "/settings/approvals/"
MAIL = {"to": "bob@example.org", "subject": "Offer", "text": "Dear Bob,\n\u202ehere it is."}


@pytest.fixture
def clerk(transactional_db, alice) -> Agent:
    return Agent.objects.create(owner=alice, name="Clerk", slug="clerk")


def ask(owner, agent, tool, arguments, **fields) -> Approval:
    run, text = new_id(), canonical(arguments)
    return Approval.objects.create(
        owner=owner, agent=agent, run_id=run, call_id="call_1", tool=tool, arguments=text,
        conversation_id=new_id(), digest=digest_of(tool, "", text, owner.pk, run),
        expires_at=timezone.now() + timedelta(hours=20),
        **{"title": "Send mail", "effect": "sends", "longest": "always",
           "kept_reason": '{"code":"policy_sends","values":{}}', **fields},
    )  # fmt: skip


def card(page, approval):
    return page.locator(f"[data-approval='{approval.pk}']")


def test_a_call_is_read_and_approved_by_keyboard(visit, alice, clerk):
    mail = ask(alice, clerk, "send_mail", MAIL)
    deletion = ask(
        alice, clerk, "delete_document", {"document": "Lease"}, title="Delete a document",
        effect="changes", longest="once",
        kept_reason='{"code":"policy_changes_both","values":{}}',
    )  # fmt: skip
    page = visit(alice, PAGE)
    assert accessibility_violations(page) == []
    expect(card(page, mail)).to_contain_text('"to": "bob@example.org"')
    expect(card(page, mail)).to_contain_text("\\u202ehere it is.")
    expect(card(page, deletion).get_by_label("Allow it")).to_have_count(0)
    card(page, mail).get_by_label("Allow it").focus()
    page.keyboard.press("End")
    page.keyboard.press("Tab")
    expect(card(page, mail).get_by_role("button", name="Do not allow")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(card(page, mail)).to_have_attribute("data-status", "approved")
    card(page, deletion).get_by_role("button", name="Do not allow").click()
    expect(card(page, deletion)).to_have_attribute("data-status", "denied")
    page.reload()
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    assert accessibility_violations(page) == []
    page.get_by_role("button", name="Take back: Send mail").click()
    expect(page.get_by_text("Nothing. Where you approve")).to_be_visible()
    assert not ToolPermission.objects.exists()


def test_on_a_phone_what_was_decided_elsewhere_says_so(visit, alice, clerk):
    mail = ask(alice, clerk, "send_mail", MAIL | {"text": "x" * 400})
    page = visit(alice, PAGE, **PHONE)
    assert accessibility_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    Approval.objects.update(status="denied")
    card(page, mail).get_by_role("button", name="Approve").tap()
    expect(page.get_by_role("alert")).to_contain_text("decided before")
    expect(card(page, mail).locator("form")).to_have_count(0)


def test_the_policy_is_read_and_tried(visit, admin):
    page = visit(admin, "/admin/agents/policyrule/table/")
    page.get_by_label("Effect").select_option("sends")
    page.get_by_label("What was read before").select_option("both")
    page.get_by_role("button", name="Try it").click()
    expect(page).to_have_url(re.compile("read=both"))
    expect(page.get_by_role("status")).to_contain_text("The person is asked: every time.")
    assert accessibility_violations(page) == []
