"""`/`, `@` and `#` in the message box, chips, long pickers and typing anywhere: keyboard only."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.chat.conftest import PHONE, Visit, answered, ask
from tests.browser.chat.test_chat_accessibility import violations
from tests.browser.chat.test_sidebar import csrf
from tests.browser.product import Product
from tests.support.model_server import ModelServer, Script

MANY = """
from accounts.models import User
from agents.models import Agent
owner = User.objects.get(is_superuser=True)
for name in ("Atlas", "Borealis", "Cygnus", "Draco", "Equuleus", "Fornax", "Gemini"):
    Agent.objects.create(owner=owner, name=name, slug=name.lower(), description=f"Knows {name}.")
"""
FEWER = """
from agents.models import Agent
Agent.objects.filter(description__startswith="Knows").delete()
"""
COMPOSING = """() => document.getElementById("message").dispatchEvent(
  new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true }))"""


@pytest.fixture
def many_agents(product: Product) -> Iterator[None]:
    product.run(MANY)
    yield
    product.run(FEWER)


def save_prompt(page: Page, name: str, text: str) -> None:
    made = page.request.post(
        "/api/v1/prompts/import", data={"prompts": [{"name": name, "text": text}]},
        headers=csrf(page),
    )  # fmt: skip
    assert made.ok, made.text()


def selected(page: Page) -> str:
    text: str = page.evaluate("getSelection().toString()")
    return text


def active(page: Page) -> Locator:
    return page.locator("#composer-list [aria-selected=true]")


def test_a_prompt_is_chosen_and_its_blanks_are_filled_in(visit: Visit, model: ModelServer) -> None:
    model.queue(Script(text="Fine."))
    page = visit()
    save_prompt(page, "Meeting notes", "Write notes of {{meeting}} for {{readers}}.")
    save_prompt(page, "会议纪要", "写{{会议}}的纪要")
    page.reload()
    box = page.locator("#message")
    box.press("/")
    expect(page.get_by_role("listbox", name="Suggestions")).to_be_visible()
    expect(page.locator("#composer-status")).to_have_text(re.compile(r"\d+ suggestions"))
    page.keyboard.type("meet")
    expect(active(page)).to_contain_text("Meeting notes")
    expect(box).to_have_attribute("aria-activedescendant", active(page).get_attribute("id") or "")
    page.keyboard.press("Enter")
    expect(box).to_have_value("Write notes of {{meeting}} for {{readers}}.")
    expect(page.locator("#composer-note")).to_contain_text("“meeting”")
    page.keyboard.type("the review")
    page.keyboard.press("Tab")
    assert selected(page) == "{{readers}}"
    page.keyboard.press("Enter")
    expect(page.locator("#composer-note")).to_contain_text("“readers” is not filled in yet")
    expect(page.locator(".user")).to_have_count(0)
    page.keyboard.type("all of us")
    page.keyboard.press("Enter")
    expect(page.locator(".user .bubble")).to_have_text("Write notes of the review for all of us.")
    box.press("/")
    expect(active(page)).to_contain_text("Meeting notes")  # used last
    page.keyboard.type("纪")
    expect(active(page)).to_contain_text("会议纪要")
    page.keyboard.press("Tab")
    expect(box).to_have_value("写{{会议}}的纪要")
    page.keyboard.press("Control+z")
    expect(box).to_have_value("/纪")


def test_lists_close_where_no_sign_is_meant(visit: Visit) -> None:
    page = visit()
    options = page.locator("#composer-list [role=option]")
    box = page.locator("#message")
    box.press_sequentially("mail me@q")
    expect(options).to_have_count(0)
    box.fill("")
    box.press_sequentially("Hello @")
    expect(options.first).to_be_visible()
    page.evaluate(COMPOSING)  # an input method's Enter chooses nothing
    expect(options.first).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#composer-list")).to_be_hidden()
    page.keyboard.type("q")
    expect(page.locator("#composer-list")).to_be_hidden()
    expect(box).to_have_value("Hello @q")
    box.fill("")


def test_an_agent_answers_once_and_a_collection_is_added(visit: Visit, model: ModelServer) -> None:
    model.queue(Script(text="By the model."))
    page = visit()
    page.locator("#agent-picker").click()
    page.get_by_role("menuitemradio", name="Quoting").click()
    box = page.locator("#message")
    box.press_sequentially("When is the office closed? @scr")
    expect(active(page)).to_contain_text("Scripted")
    page.keyboard.press("Enter")
    chips = page.get_by_role("list", name="For this question")
    expect(chips.get_by_role("listitem")).to_have_text(["Scripted"])
    expect(box).to_have_value("When is the office closed? ")
    page.keyboard.type("#handb")
    page.keyboard.press("Tab")
    expect(chips.get_by_role("listitem")).to_have_text(["Scripted", "Parley handbook"])
    expect(page.locator("#collection-picker")).to_contain_text("1 collection")
    page.keyboard.press("Enter")
    expect(answered(page)).to_contain_text("By the model.")
    expect(chips.get_by_role("listitem")).to_have_text(["Parley handbook"])
    expect(page.locator("#agent-picker")).to_contain_text("Quoting")
    chips.get_by_role("button", name="Take away Parley handbook").press("Enter")
    expect(box).to_be_focused()
    expect(page.locator("#collection-picker")).to_contain_text("All documents")
    ask(page, "How much parental leave may each parent take?")
    expect(answered(page)).to_contain_text("no model is connected")


def test_long_pickers_are_searched_and_begin_with_the_latest(
    visit: Visit, many_agents: None
) -> None:
    page = visit()
    page.locator("#agent-picker").click()
    field = page.get_by_role("searchbox", name="Find an agent")
    expect(field).to_be_focused()
    page.keyboard.type("knows drac")
    expect(page.get_by_role("menuitemradio")).to_have_text([re.compile("Draco")])
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitemradio", name="Draco")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#agent-picker")).to_contain_text("Draco")
    page.reload()
    page.locator("#agent-picker").click()
    expect(page.get_by_role("menuitemradio").first).to_contain_text("Draco")
    assert not violations(page)


def test_typing_anywhere_goes_into_the_box(visit: Visit) -> None:
    page = visit()
    box = page.locator("#message")
    page.locator("#thread").focus()
    page.keyboard.type("Hi")
    expect(box).to_be_focused()
    expect(box).to_have_value("Hi")
    box.fill("")
    page.locator("#thread").focus()
    page.keyboard.press("/")
    expect(page.locator("#composer-list")).to_be_visible()
    box.fill("")
    page.locator("#thread").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.type("abc")
    page.keyboard.press("Escape")
    expect(box).to_have_value("")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lists_and_chips_are_accessible_on_a_phone(visit: Visit, scheme: str) -> None:
    page = visit("/", color_scheme=scheme, **PHONE)
    page.get_by_role("button", name="Saved prompts").tap()
    expect(page.locator("#composer-list [role=option]").first).to_be_in_viewport()
    assert not violations(page)
    page.locator("#message").fill("")
    page.locator("#message").press_sequentially("@scr")
    page.get_by_role("option", name="Scripted").tap()
    expect(page.locator("#chosen")).to_contain_text("Scripted")
    expect(page.locator("#message")).to_be_focused()
    assert not violations(page)
