"""Lost connections, restarts, sign-outs and upgrades: the words are clear and no text is lost."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.cable import Cable
from tests.browser.chat.conftest import DESKTOP, Visit, answered, ask
from tests.browser.conftest import Watched
from tests.browser.product import Product
from tests.support.model_server import ModelServer, Script

pytestmark = pytest.mark.windowed  # notifications

HIDDEN = """
let hidden = false;
Object.defineProperty(document, "hidden", { get: () => hidden });
window.look = (away) => {
  hidden = away;
  document.dispatchEvent(new Event("visibilitychange"));
};
window.told = [];
window.Notification = class extends Notification {
  constructor(title, options) {
    super(title, options);
    window.told.push({ title, ...options, shown: this });
  }
};
"""


def test_a_question_without_a_connection_is_sent_when_there_is_one(visit: Visit) -> None:
    page = visit("/knowledge/")
    cable = Cable(page)
    page.goto("/?agent=quoting")
    expect(page.locator("#offline")).to_be_hidden()
    cable.cut()
    banner = page.locator("#offline")
    expect(banner).to_contain_text("The connection is lost. Reconnecting…")
    ask(page, "How much parental leave may each parent take?")
    question = page.locator(".user")
    expect(question).to_contain_text("No connection: this was not sent. Your text is kept.")
    expect(page.locator("#message")).to_have_value(re.compile("parental leave"))
    later = question.get_by_role("button", name="Send when connected")
    later.click()
    expect(later).to_have_attribute("aria-pressed", "true")
    cable.mend()
    page.get_by_role("button", name="Try now").click()
    expect(banner).to_be_hidden()
    expect(answered(page)).to_contain_text("20 weeks")
    expect(question).to_have_count(1)
    expect(page.locator("#message")).to_have_value("")


def test_a_restart_of_the_server_is_quiet(visit: Visit, model: ModelServer) -> None:
    page = visit("/knowledge/")
    cable = Cable(page)
    page.goto("/?agent=scripted")
    expect(page.locator("#send[aria-disabled]")).to_be_visible()
    page.evaluate(
        """() => {
          window.shown = 0;
          const banner = document.getElementById("offline");
          const count = () => (window.shown += !banner.hidden);
          new MutationObserver(count).observe(banner, { attributes: true });
        }"""
    )
    while not cable.connections:
        page.wait_for_timeout(20)
    cable.drop(1012)
    model.queue(Script(text="Here again."))
    ask(page, "Are you there?")
    expect(answered(page)).to_contain_text("Here again.")
    assert page.evaluate("window.shown") == 0


def test_signed_out_while_writing_comes_back_to_the_text(
    browser: Browser, product: Product
) -> None:
    context = browser.new_context(base_url=product.origin, service_workers="block", **DESKTOP)
    page = context.new_page()
    watched = Watched(page)
    watched.listen(product.origin)
    page.goto("/")
    sign_in(page, product)
    ask(page, "Who waters the plants on floor 3?")
    answered(page)
    where = page.url
    page.locator("#message").fill("And who does it in August?")
    other = context.new_page()
    other.goto("/settings/")
    other.locator("button.account").click()
    other.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile(r"/accounts/login/\?"))
    expect(page.get_by_text("What you were writing is kept")).to_be_visible()
    sign_in(page, product)
    expect(page).to_have_url(where)
    expect(page.locator("#message")).to_have_value("And who does it in August?")
    page.locator("#message").fill("")
    context.close()
    watched.check()


def sign_in(page: Page, product: Product) -> None:
    page.locator("input[name=login]").fill(product.email)
    page.locator("input[name=password]").fill(product.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#send[aria-disabled]")).to_be_visible()  # the scripts are there


def test_an_upgrade_offers_the_new_version(visit: Visit) -> None:
    def upgrade(frame: dict[str, Any]) -> None:
        if frame["type"] == "changes":
            frame["version"] = "another"

    page = visit("/knowledge/")
    Cable(page, upgrade)
    page.goto("/")
    page.locator("#message").fill("A draft")
    offer = page.get_by_role("button", name="Reload for the new version")
    expect(offer).to_be_visible()
    with page.expect_navigation():
        offer.click()
    expect(page.locator("#message")).to_have_value("A draft")
    page.locator("#message").fill("")


def test_what_is_pressed_before_the_scripts_are_there_is_sent_by_them(
    visit: Visit, model: ModelServer
) -> None:
    page = visit("/knowledge/")
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route(re.compile(r"/static/chat/page\..*js"), hold)
    page.goto("/?agent=scripted", wait_until="commit")
    box = page.locator("#message")
    box.press_sequentially("Too")
    box.press("Shift+Enter")
    box.press_sequentially("early?")
    box.press("Enter")
    page.locator("#send").click()
    expect(box).to_have_value("Too\nearly?")
    box.press("End")
    box.press_sequentially(" And next")
    assert waiting
    assert page.url.endswith("/?agent=scripted")
    model.queue(Script(text="Never."))
    for route in waiting:
        route.continue_()
    expect(page.locator(".user [data-text]")).to_have_text("Too\nearly?")
    answered(page)
    expect(box).to_have_value("And next")
    box.fill("")


def test_an_answer_that_ends_elsewhere_is_told_by_title_and_notification(
    visit: Visit, model: ModelServer
) -> None:
    page = visit("/knowledge/")
    page.context.grant_permissions(["notifications"])
    page.add_init_script(HIDDEN)
    page.goto("/settings/")
    switch = page.get_by_role("switch", name="Notifications in this browser")
    expect(switch).not_to_be_checked()
    switch.check()
    expect(switch).to_be_checked()
    page.goto("/?agent=scripted")
    model.queue(Script(text="Here it is, after a while.", delay=0.1))
    ask(page, "Tell me slowly")
    expect(page.locator(".answer .md")).to_contain_text("Here")
    page.evaluate("look(true)")
    expect(page).to_have_title(re.compile("^● "))
    told = page.evaluate("told.map(({ title, body, silent }) => ({ title, body, silent }))")
    assert told == [
        {"title": "Tell me slowly", "body": "Here it is, after a while.", "silent": True}
    ]
    page.evaluate("look(false)")
    expect(page).not_to_have_title(re.compile("^● "))
