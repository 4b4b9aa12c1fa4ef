"""Rules as their author makes them, and a text as an administrator tries it."""

import pytest
from playwright.sync_api import expect

from agents.building.making import create_agent
from agents.guardrails.ruleset import forget_installed
from agents.models import Agent, InstalledGuardrail
from tests.browser.pages.conftest import PHONE, accessibility_violations

KEYS = {"name": "Keys", "kind": "secrets", "places": ["input"], "action": "block"}


@pytest.fixture
def agent(transactional_db, alice) -> Agent:
    return create_agent(alice, "Careful")


def kept(agent) -> list:
    return Agent.drafts.get(draft_of=agent).guardrails


def test_a_rule_is_made_changed_and_removed(visit, alice, agent):
    """On a phone: the chat beside the form, which needs a runner, is not there."""
    page = visit(alice, f"/agents/{agent.pk}/", **PHONE)
    expect(page.locator("#builder[data-ready]")).to_be_attached()
    page.get_by_role("button", name="Add a rule").click()
    card = page.locator("[data-guardrail]")
    card.get_by_label("Name", exact=True).fill("No mails")
    card.get_by_label("What it looks for").select_option("domains")
    expect(card.get_by_label("found passages")).to_be_disabled()
    card.get_by_role("textbox", name="Allowed domains").fill("example.org\n*.example.com")
    card.get_by_label("What is done").select_option("warn")
    card.get_by_label("the answer", exact=True).check()
    expect(page.locator("[data-saved]")).to_contain_text("Saved")
    page.wait_for_timeout(1200)  # a moment after the last word it is saved
    (rule,) = kept(agent)
    assert rule["allowed"] == ["example.org", "example.com"]
    assert rule["places"] == ["input", "output"]
    card.get_by_label("What it looks for").select_option("injection")
    expect(card).to_contain_text("It only advises")
    assert card.locator("[data-part=action] option:not(:disabled)").all_inner_texts() == ["warn"]
    assert accessibility_violations(page) == []
    card.get_by_role("button", name="Remove the rule").click()
    page.wait_for_timeout(1200)
    assert kept(agent) == []


def test_a_text_is_tried(visit, admin):
    InstalledGuardrail.objects.create(name="Keys", rule=KEYS)
    forget_installed()
    page = visit(admin, "/admin/agents/installedguardrail/try/")
    page.get_by_label("A text").fill("Use ghp_" + "a1B2c3D4e5" * 4)
    page.get_by_role("button", name="Try it").click()
    row = page.get_by_role("row", name="Keys")
    expect(row).to_contain_text("block")
    expect(row).to_contain_text("keys and passwords (1)")
    assert accessibility_violations(page) == []
    page.goto("/admin/agents/installedguardrail/add/")
    page.get_by_label("Name:").fill("Short")
    page.get_by_label("Kind:").select_option("length")
    page.get_by_label("the answer").check()
    page.get_by_label("Characters at most:").fill("900")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#result_list").get_by_role("link", name="Short")).to_be_visible()
    assert InstalledGuardrail.objects.get(name="Short").rule["most"] == 900
    forget_installed()
