"""Several tabs in step: what is done in one shows in the others, without a reload."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.chat.conftest import Visit, answer_late, answered, ask, came
from tests.browser.chat.test_sidebar import choose, csrf, row_of

THREADS = re.compile(r"/c/[\w-]+/thread$")


def rename(page: Page, old: str, new: str) -> None:
    row_of(page, old).locator("a").press("F2")
    field = page.get_by_role("textbox", name="Title of the conversation")
    field.fill(new)
    field.press("Enter")
    expect(row_of(page, new)).to_be_visible()


def first_heading(page: Page) -> Locator:
    return page.locator("#history h2").first


def test_what_one_tab_does_the_other_shows(visit: Visit) -> None:
    here, there = visit("/?agent=quoting"), visit()
    ask(here, "Where do we keep the ladders?")
    answered(here)
    row_of(there, "ladders").locator("a").click()
    expect(answered(there)).to_be_visible()
    ask(here, "And who may borrow them?")
    expect(there.locator(".user .bubble")).to_have_count(2)
    answered(there)
    ask(there, "May visitors?")
    expect(here.locator(".user .bubble")).to_have_count(3)
    answered(here)
    rename(here, "ladders", "Ladders and steps")
    expect(row_of(there, "Ladders and steps")).to_be_visible()
    expect(there).to_have_title("Ladders and steps · Parley")
    choose(here, "Ladders and steps", "Pin")
    expect(first_heading(there)).to_have_text("Pinned")
    choose(here, "Ladders and steps", "Unpin")
    expect(first_heading(there)).not_to_have_text("Pinned")
    here.request.post("/api/v1/folders", data={"name": "Tools"}, headers=csrf(here))
    expect(there.locator("[data-folder]").filter(has_text="Tools")).to_be_visible()
    choose(here, "Ladders and steps", "Delete")
    expect(there.locator("#gone")).to_be_visible()
    expect(there.locator("#send")).to_have_attribute("aria-disabled", "true")
    expect(row_of(there, "Ladders and steps")).to_have_count(0)
    frames: list[str | bytes] = []

    def hear(
        frame: str | bytes,
    ) -> None:  # Playwright marks what it calls: a list's method cannot be
        frames.append(frame)

    here.on("websocket", lambda socket: socket.on("framereceived", hear))
    here.get_by_role("button", name="Undo").click()
    while not any('"changes"' in str(frame) for frame in frames):  # the page came anew, and hears
        here.wait_for_timeout(50)
    expect(there.locator("#gone")).to_be_hidden()
    expect(row_of(there, "Ladders and steps")).to_be_visible()
    ask(there, "Is it still there?")
    answered(there)
    expect(here.locator(".user .bubble")).to_have_count(4)


def test_a_question_sent_while_the_page_catches_up_stays_on_it(visit: Visit) -> None:
    here, there = visit("/?agent=quoting"), visit()
    ask(here, "Who waters the plants?")
    answered(here)
    there.goto(here.url)
    answered(there)
    late = answer_late(there, THREADS)
    ask(here, "And in August?")
    answer = came(there, late)
    ask(there, "And at Christmas?")
    answered(there)
    expect(there.locator(".user .bubble")).to_have_count(2)
    with there.expect_response(THREADS) as response:
        answer()
    response.value.finished()
    answered(there)
    for page in here, there:
        expect(page.locator(".user .bubble").last).to_have_text("And at Christmas?")
        expect(page.locator(".user .bubble")).to_have_count(2)


def test_theme_and_language_follow_in_the_other_tab(visit: Visit) -> None:
    chat = visit("/?agent=quoting")
    chat.locator("#message").fill("Half a thought")
    settings = chat.context.new_page()
    settings.goto("/settings/")
    settings.get_by_text("Dark", exact=True).click()
    settings.locator("form.settings button.primary").click()
    expect(chat.locator("html")).to_have_attribute("data-theme", "dark")
    settings.get_by_label("Language").select_option("zh-hant")
    settings.locator("form.settings button.primary").click()
    expect(chat.locator("html")).to_have_attribute("lang", "zh-Hant")
    expect(chat.locator("#message")).to_have_value("Half a thought")
    settings.locator("input[name=theme][value=system]").check(force=True)
    settings.get_by_label("語言").select_option("")
    settings.locator("form.settings button.primary").click()
    expect(chat.locator("html")).to_have_attribute("lang", re.compile("^en"))
    expect(chat.locator("html")).to_have_attribute("data-theme", "system")
    chat.locator("#message").fill("")
