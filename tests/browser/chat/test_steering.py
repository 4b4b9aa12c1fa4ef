"""Saying something to an agent at work, and letting one go on that a limit stopped."""

import re

from playwright.sync_api import expect

from tests.browser.chat.conftest import PHONE, Visit, answered, ask
from tests.browser.pages.conftest import accessibility_violations
from tests.browser.product import Product
from tests.support.model_server import ModelServer, Script, calling

AGENTS = """
from accounts.models import User
from agents.models import Agent
owner = User.objects.get(is_superuser=True)
for slug, name, tools, limits in (
    ("handy", "Handy", ["calculate", "fetch_page"], {}),
    ("brief", "Brief", ["calculate"], {"steps": 2}),
):
    Agent.objects.update_or_create(slug=slug, defaults=dict(
        owner=owner, name=name, model_name="scripted", max_passages=0, tools=tools, limits=limits,
    ))
"""
NOTE = "Look also at the ferries."
HINT = "The agent reads this at its next step."


def test_a_note_waits_and_is_taken_up_in_its_place(
    visit: Visit, model: ModelServer, product: Product
) -> None:
    product.run(AGENTS)
    page = visit("/")
    model.queue(calling(("fetch_page", {"url": "https://example.org/a"}), text="I look it up."))
    model.default = Script(text="With the ferries.")
    ask(page, "What does the page say?", "Handy")
    expect(page.locator(".answer .approval")).to_be_visible()
    box = page.get_by_role("textbox", name="Message")
    box.fill(NOTE)
    expect(page.locator("#box-note")).to_have_text(HINT)
    expect(page.get_by_role("button", name="Stop answering")).to_be_visible()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()
    assert accessibility_violations(page) == []
    box.press("Enter")
    expect(box).to_have_value("")
    waiting = page.locator(".notes li")
    expect(waiting).to_contain_text(NOTE)
    expect(waiting).to_contain_text("Waits for the agent’s next step")
    assert accessibility_violations(page) == []
    phone = visit(re.sub(r"^https?://[^/]+", "", page.url), **PHONE)
    expect(phone.locator(".notes li")).to_contain_text(NOTE)
    also = phone.get_by_role("textbox", name="Message")
    also.fill("And the trams.")
    phone.get_by_role("button", name="Send", exact=True).tap()
    expect(page.locator(".notes li")).to_have_count(2)  # tabs are in step
    page.reload()
    expect(page.locator(".notes li")).to_have_count(2)
    page.locator(".answer .approval").get_by_role("button", name="Do not allow").click()
    for one in (page, phone):
        answer = answered(one)
        expect(answer.locator("[data-markdown]")).to_contain_text("With the ferries.")
        expect(one.locator(".notes li")).to_have_count(0)
    for _ in range(2):  # live, and as it is stored
        answer = answered(page)
        rows = answer.locator(".steps > details")
        expect(rows).to_have_count(3)
        expect(rows.nth(1).locator("summary")).to_contain_text(f"Added “{NOTE}”")
        rows.nth(1).locator("summary").click()
        expect(rows.nth(1).locator("[data-body]")).to_contain_text(NOTE)
        page.reload()
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible()


def test_who_stops_has_the_words_again_that_nobody_heard(
    visit: Visit, model: ModelServer, product: Product
) -> None:
    product.run(AGENTS)
    page = visit("/")
    model.queue(calling(("fetch_page", {"url": "https://example.org/a"}), text="I look it up."))
    ask(page, "What does the page say?", "Handy")
    expect(page.locator(".answer .approval")).to_be_visible()
    box = page.get_by_role("textbox", name="Message")
    box.fill(NOTE)
    box.press("Enter")
    expect(page.locator(".notes li")).to_have_count(1)
    box.fill("What I am writing.")
    page.get_by_role("button", name="Stop answering").click()
    expect(box).to_have_value(f"{NOTE}\n\nWhat I am writing.")
    expect(page.locator(".notes li")).to_have_count(0)
    expect(page.locator(".user[data-message]")).to_have_count(1)


def test_an_answer_that_a_limit_stopped_goes_on_by_keyboard(
    visit: Visit, model: ModelServer, product: Product
) -> None:
    product.run(AGENTS)
    page = visit("/")
    model.queue(
        calling(("calculate", {"expression": "6*7"}), text="First."), Script(text="Not all yet.")
    )
    model.default = Script(text="Now all of it.")
    ask(page, "What is it?", "Brief")
    answer = answered(page)
    expect(answer.locator("[data-notice]")).to_contain_text("after 2 steps, its limit")
    page.reload()
    answer = answered(page)
    go_on = answer.get_by_role("button", name="Continue")
    expect(go_on).to_be_visible()
    assert accessibility_violations(page) == []
    go_on.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".answer [data-markdown]")).to_contain_text("Now all of it.")
    answer = answered(page)
    expect(answer.locator("[data-markdown]")).to_contain_text("Not all yet.")
    expect(answer.locator("[data-kind=tool] summary")).to_contain_text("“6*7”")
    expect(answer.locator("[data-continue]")).to_be_hidden()
    page.reload()
    page.locator(".answer [data-version]").first.click()  # the one before: it was gone on with
    expect(page.locator(".answer [data-markdown]")).not_to_contain_text("Now all of it.")
    expect(page.locator(".answer [data-notice]")).to_be_visible()
    expect(page.locator(".answer [data-continue]")).to_be_hidden()
