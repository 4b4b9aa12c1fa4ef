"""Models, versions, answers side by side, thumbs, branches and titles, as a person meets them."""

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.chat.conftest import PHONE, Visit, answered
from tests.browser.chat.test_chat_accessibility import AUDIT
from tests.browser.product import Product
from tests.support.model_server import ModelServer, Script

QUESTION = "How much parental leave may each parent take?"
CONNECT = """
from gateway.models import Deployment, Endpoint
from gateway.services import connect_model
Endpoint.objects.update(idle_timeout=200)  # a test holds answers back
connect_model(Endpoint.objects.get(), "second")
"""
DISCONNECT = """
from gateway.models import Endpoint, Model
Endpoint.objects.update(idle_timeout=30)
Model.objects.filter(name="second").delete()
"""


@pytest.fixture(scope="module", autouse=True)
def second_model(product: Product) -> Iterator[None]:
    product.run(CONNECT)
    yield
    product.run(DISCONNECT)


def speak(model: ModelServer, **go_on: threading.Event) -> None:
    """Every answer says which model gives it; one named here stops in the middle until then."""

    def script(body: dict[str, Any]) -> Script:
        name = body["model"]
        text = f"{name} begins and {name} has spoken [1]."
        held = {"hang_after": len(name) + 8, "token_size": 1} if name in go_on else {}
        return Script(text=text, go_on=go_on.get(name), **held)

    model.default = script


def send(page: Page, text: str = QUESTION) -> None:
    page.locator("#message").fill(text)
    page.locator("#message").press("Enter")


def pick(page: Page, **data: str) -> None:
    page.locator("#agent-picker").click()
    ((kind, name),) = data.items()
    page.locator(f"#agent-menu [data-{kind}='{name}']").click()


def more(page: Page, item: str) -> None:
    page.locator(".answer").last.hover()
    page.locator("[data-more]").last.click()
    page.get_by_role("menuitem", name=item, exact=True).click()


def faults(page: Page, part: str) -> list[str]:
    """What axe finds in this part of the page."""
    found = Axe().run(page, context=part, options=AUDIT).response["violations"]
    return [f"{rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in found]


def columns(page: Page) -> Locator:
    return page.locator(".compare .answer")


def compare(page: Page) -> None:
    """The next questions go to the agent and to the second model."""
    page.locator("#agent-picker").click()
    page.get_by_role("button", name="Compare answers…").click()
    dialog = page.get_by_role("dialog", name="Compare answers")
    expect(dialog.get_by_role("button", name="Compare", exact=True)).to_be_disabled()
    dialog.get_by_role("checkbox", name="second").check()
    dialog.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("#comparing")).to_contain_text("second")


def test_a_model_is_chosen_remembered_and_asked_again(visit: Visit, model: ModelServer) -> None:
    speak(model)
    page = visit()
    pick(page, agent="documents")
    pick(page, model="second")
    expect(page.locator("#model-label")).to_have_text("second")
    send(page)
    expect(answered(page)).to_contain_text("second has spoken")
    page.reload()
    expect(page.locator("#model-label")).to_have_text("second")
    more(page, "Answer again with another model…")
    dialog = page.get_by_role("dialog", name="Answer again with another model")
    assert not faults(page, "#choice-dialog")
    dialog.get_by_role("button", name="scripted").click()
    expect(answered(page)).to_contain_text("scripted has spoken")
    number = page.locator(".answer .branch [popovertarget]")
    expect(number).to_contain_text("2 / 2")
    number.click()
    versions = page.get_by_role("menu", name="Versions").get_by_role("menuitemradio")
    expect(versions).to_have_text([re.compile("Documents · second"), re.compile("· scripted")])
    versions.first.click()
    expect(answered(page)).to_contain_text("second has spoken")
    more(page, "Answer again with another agent…")
    page.get_by_role("dialog").get_by_role("button", name="Quoting").click()
    expect(answered(page)).to_contain_text("no model is connected")
    expect(page.locator("#model-label")).to_have_text("second")


def test_two_answers_side_by_side_survive_a_reload_and_a_choice(
    visit: Visit, model: ModelServer
) -> None:
    go_on = threading.Event()
    speak(model, scripted=threading.Event(), second=go_on)
    page = visit()
    pick(page, agent="documents")
    compare(page)
    send(page)
    running = page.locator(".compare .answer[data-status=running]")
    expect(columns(page).nth(0)).to_contain_text("scripted begins")
    expect(columns(page).nth(1)).to_contain_text("second begins")
    page.reload()
    expect(running).to_have_count(2)
    other = visit(page.url.removeprefix(page.evaluate("location.origin")))
    expect(columns(other).nth(1)).to_contain_text("second begins")
    columns(page).nth(0).get_by_role("button", name="Stop this answer").click()
    expect(columns(page).nth(0)).to_have_attribute("data-status", "stopped")
    expect(running).to_have_count(1)
    go_on.set()
    for tab in (page, other):
        expect(columns(tab).nth(1)).to_contain_text("second begins and second has spoken")
        expect(columns(tab).nth(1)).to_have_attribute("data-status", "complete")
    assert not faults(page, ".compare")
    columns(page).nth(1).get_by_role("button", name="Use this one").click()
    expect(page.locator(".compare")).to_have_count(0)
    expect(page.locator(".answer .branch")).to_contain_text("2 / 2")
    expect(page.locator("#model-label")).to_have_text("second")
    speak(model)
    send(page, "And then?")
    expect(answered(page)).to_contain_text("second has spoken")
    page.reload()
    expect(page.locator(".answer")).to_have_count(2)
    expect(page.locator(".answer").first).to_contain_text("second has spoken")


def test_an_answer_gets_a_neighbour_and_a_phone_swipes(visit: Visit, model: ModelServer) -> None:
    speak(model)
    page = visit("/", **PHONE)
    send(page)
    answered(page)
    more(page, "Compare with…")
    page.get_by_role("dialog", name="Compare with").get_by_role("button", name="second").click()
    expect(columns(page)).to_have_count(2)
    expect(columns(page).nth(1)).to_contain_text("second has spoken")
    tabs = page.get_by_role("group", name="Show")
    tabs.get_by_role("button", name=re.compile("second")).click()
    expect(columns(page).nth(1)).to_be_in_viewport(ratio=0.5)
    expect(tabs.get_by_role("button", name=re.compile("second"))).to_have_attribute(
        "aria-pressed", "true"
    )
    assert not faults(page, ".compare")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    columns(page).nth(1).get_by_role("button", name="Use this one").click()
    expect(answered(page)).to_contain_text("second has spoken")


def test_an_answer_is_rated_copied_and_branched_from(visit: Visit, model: ModelServer) -> None:
    speak(model)
    page = visit()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    send(page)
    answer = answered(page)
    answer.get_by_role("button", name="Bad answer").click()
    form = answer.locator(".opinion")
    expect(form).to_contain_text("What was wrong with it?")
    assert not faults(page, ".answer")
    form.get_by_text("Something is missing").click()
    form.get_by_role("textbox").fill("Who pays?")
    form.get_by_role("button", name="Save").click()
    expect(form).to_have_count(0)
    page.reload()
    thumb = page.get_by_role("button", name="Bad answer")
    expect(thumb).to_have_attribute("aria-pressed", "true")
    thumb.click()
    expect(page.locator(".opinion").get_by_role("textbox")).to_have_value("Who pays?")
    expect(page.get_by_role("checkbox", name="Something is missing")).to_be_checked()
    page.get_by_role("button", name="Take back").click()
    expect(thumb).to_have_attribute("aria-pressed", "false")
    more(page, "Copy as Markdown with sources")
    expect(page.get_by_text("Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert re.search(r"has spoken \[1\]\.\n\n- \[1\] .+: “.+”\n$", copied), copied
    before = page.url
    more(page, "Branch into a new conversation")
    expect(page.get_by_role("link", name="Branched from")).to_be_visible()
    assert page.url != before
    expect(answered(page)).to_contain_text("has spoken")
    page.get_by_role("link", name="Branched from").click()
    expect(page).to_have_url(re.compile(re.escape(before)))


def test_a_question_is_asked_differently_elsewhere(visit: Visit, model: ModelServer) -> None:
    speak(model)
    page = visit()
    send(page)
    answered(page)
    send(page, "And for twins?")
    answered(page)
    before = page.url
    question = page.locator(".user").last
    question.hover()
    question.get_by_role("button", name="Ask this differently in a new conversation").click()
    expect(page.locator("#message")).to_have_value("And for twins?")
    assert page.url != before
    expect(page.locator(".user")).to_have_count(1)
    page.locator("#message").fill("")


def test_a_title_arrives_in_every_open_tab(visit: Visit, model: ModelServer) -> None:
    model.title = Script(text="Weeks off for parents")
    page = visit()
    other = page.context.new_page()
    other.goto("/knowledge/")
    send(page)
    answered(page)
    for tab in (page, other):
        expect(tab.locator("#history").get_by_text("Weeks off for parents")).to_be_visible()
    expect(page).to_have_title("Weeks off for parents · Parley")
