"""Rules are made in the builder, refused in words, and seen at work in the answer."""

from playwright.sync_api import Page, expect

from tests.browser.chat.conftest import Visit
from tests.browser.chat.test_agent_builder import LATER, make, saved, tried, violations
from tests.support.model_server import ModelServer, Script

MAIL = "bob@example.org"
KEY = "ghp_" + "a1B2c3D4e5" * 4


def add(page: Page, name: str, kind: str, action: str, *places: str) -> None:
    page.get_by_role("button", name="Add a rule").click()
    card = page.locator("[data-guardrail]").last
    card.get_by_role("textbox", name="Name", exact=True).fill(name)
    card.get_by_label("What it looks for").select_option(kind)
    for place in ("the question", "the answer"):
        card.get_by_label(place, exact=True).set_checked(place in places)
    card.get_by_label("What is done").select_option(action)


def test_rules_are_made_and_seen_at_work(visit: Visit, model: ModelServer):
    page = visit("/agents/", expected=("422",))
    make(page, "Careful")
    add(page, "No mails", "personal_data", "mask", "the question")
    saved(page)
    add(page, "No keys", "secrets", "block", "the question", "the answer")
    add(page, "Codes", "regex", "mask", "the answer")
    card = page.locator("[data-guardrail]").last
    card.get_by_role("textbox", name="Pattern").fill("(a+)+$")
    expect(card.get_by_role("alert")).to_contain_text("takes too long", timeout=LATER)
    card.get_by_role("textbox", name="Pattern").fill(r"project-\d+")
    expect(card.get_by_role("alert")).to_be_hidden()
    saved(page)
    page.wait_for_timeout(1500)  # of the pause before what is written is saved
    assert not violations(page)
    page.reload()
    expect(page.locator("[data-guardrail]")).to_have_count(3)
    expect(page.locator("[data-guardrail]").nth(1)).to_contain_text("No keys")

    frame = tried(page)
    model.queue(
        Script(
            text=lambda sent: (
                "Of project-42: " + sent["messages"][-1]["content"].split("Who is ")[1]
            )
        )
    )
    box = frame.get_by_role("textbox").first
    box.fill(f"Who is {MAIL}?")
    box.press("Enter")
    answer = frame.locator(".answer[data-status=complete]").last
    expect(answer).to_contain_text(f"Of [MASKED]: {MAIL}", timeout=LATER)
    expect(answer).to_contain_text("No mails")
    assert MAIL not in str(model.chat_requests[-1])
    count = len(model.chat_requests)
    box.fill(f"Use {KEY}")
    box.press("Enter")
    expect(frame.locator(".answer[data-status=complete]").nth(1)).to_contain_text(
        "No keys", timeout=LATER
    )
    assert len(model.chat_requests) == count
