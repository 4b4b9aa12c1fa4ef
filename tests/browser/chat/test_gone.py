"""A question to a conversation deleted elsewhere: no word is lost, whatever comes first."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.cable import Cable
from tests.browser.chat.conftest import Visit, answered, ask
from tests.browser.chat.test_sidebar import csrf

GONE = re.compile("was deleted, or is no longer shared with you")
LATE = "Will this arrive?"


def delete(page: Page) -> None:
    """As another tab does it."""
    path = f"/api/v1/conversations/{page.url.rsplit('/', 1)[1]}"
    assert page.request.delete(path, headers=csrf(page)).ok


def expect_it_goes_along(page: Page) -> None:
    page.get_by_role("link", name="New chat").last.click()
    expect(page.get_by_role("heading", name="What would you like to know?")).to_be_visible()
    expect(page.locator("#message")).to_have_value(LATE)
    ask(page, LATE)
    expect(answered(page)).to_be_visible()
    expect(page.locator(".user")).to_have_count(1)


def test_where_the_page_hears_of_it_first(visit: Visit) -> None:
    page = visit("/?agent=quoting")
    ask(page, "Where do we keep the tents?")
    answered(page)
    delete(page)
    expect(page.locator("#gone")).to_be_visible()
    ask(page, LATE)
    expect(page.locator("#box-note")).to_have_text(GONE)
    expect(page.locator(".user")).to_have_count(1)
    expect(page.locator("#message")).to_have_value(LATE)
    expect_it_goes_along(page)


def test_where_the_question_is_refused_first(visit: Visit) -> None:
    page = visit("/?agent=quoting")
    held: list[dict[str, Any]] = []

    def hold(frame: dict[str, Any]) -> None:
        if frame.get("what") == "deleted":
            held.append(dict(frame))
            frame["what"] = "nothing"

    cable = Cable(page, hold)
    page.reload()
    ask(page, "Where do we keep the canoes?")
    answered(page)
    delete(page)
    ask(page, LATE)
    question = page.locator(".user").last
    expect(question).to_contain_text(LATE)
    expect(question.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.locator("#message")).to_have_value(LATE)
    while not held:  # the page is told of it in its own time
        page.wait_for_timeout(50)
    cable.say(held[0])
    expect(page.locator("#gone")).to_be_visible()
    expect(page.locator("#message")).to_have_value(LATE)
    expect_it_goes_along(page)
