"""The command palette, the shortcuts and the first steps, by keyboard."""

import re

from playwright.sync_api import Page, Response, expect

from tests.browser.chat.conftest import Visit, answered, ask
from tests.browser.chat.test_chat_accessibility import violations

UNBOUND = """async () => {
  const { name } = performance.getEntriesByType("resource")
    .find(({ name }) => /js\\/shortcuts\\./.test(name));
  const { SHORTCUTS, isBound } = await import(name);
  return SHORTCUTS.filter(({ own, id }) => !own && !isBound(id)).map(({ id }) => id);
}"""


def open_palette(page: Page, words: str = "") -> None:
    page.wait_for_load_state()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox", name="Go to anything")).to_be_focused()
    if words:
        page.keyboard.type(words)


def is_title(response: Response) -> bool:
    asked = response.request.method == "GET"
    return asked and re.search(r"/api/v1/conversations/[\w-]+$", response.url) is not None


def active(page: Page):
    return page.locator("#palette-list [aria-selected=true]")


def test_the_palette_finds_conversations_documents_and_pages(visit: Visit) -> None:
    page = visit()
    ask(page, "How much parental leave may each parent take?", "Quoting")
    answered(page)
    page.goto("/knowledge/")
    open_palette(page, "parental lea")
    option = page.get_by_role("option").filter(has_text="each parent take")
    expect(option.first.locator("b").first).to_be_visible()
    expect(active(page)).to_contain_text("parent")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/c/[0-9a-f-]+"))
    open_palette(page, "heron leave pol")
    expect(active(page)).to_contain_text("Leave policy of Heron Bay Instruments")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/knowledge/documents/"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Leave policy")
    page.goto("/agents/")
    open_palette(page, "settings tok")
    expect(active(page)).to_contain_text("API tokens")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/settings/tokens/$"))
    open_palette(page)
    expect(active(page)).to_contain_text("API tokens")  # used last
    page.keyboard.type("qzxvw unheardofs")
    expect(page.get_by_text("Nothing here has all of these words.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Go to anything")).to_be_hidden()


def test_days_and_an_agent_narrow_the_conversations(visit: Visit) -> None:
    page = visit()
    ask(page, "Which lamps burn in the lighthouse?", "Quoting")
    answered(page)
    page.goto("/agents/")
    option = page.get_by_role("option").filter(has_text="burn in the lighthouse")
    chips = page.get_by_role("group", name="Conversations are narrowed to")
    open_palette(page, "lighthouse agent:quo since 2020")
    expect(option.first).to_be_visible()
    expect(chips.get_by_role("button")).to_have_text(["Quoting", "from Jan 1, 2020"])
    assert not violations(page)
    page.get_by_role("combobox", name="Go to anything").fill("lighthouse before 2020")
    expect(page.get_by_text("Nothing here has all of these words.")).to_be_visible()
    expect(option).to_have_count(0)
    chips.get_by_role("button", name="“before 2020” are words, and narrow nothing").click()
    expect(chips).to_be_hidden()
    expect(page.get_by_role("combobox", name="Go to anything")).to_be_focused()
    page.keyboard.press("Escape")


def test_the_conversation_on_show_is_renamed_pinned_and_archived(visit: Visit) -> None:
    page = visit()
    ask(page, "Where are the spare bulbs?", "Quoting")
    answered(page)
    expect(page.locator("#history [aria-current]")).to_have_count(1)
    open_palette(page, "this pin")
    expect(active(page)).to_contain_text("This conversation: Pin")
    page.keyboard.press("Enter")
    expect(page.locator("#history [data-pinned] [aria-current]")).to_have_count(1)
    page.keyboard.press("Control+Shift+S")
    expect(page.locator("#side")).to_be_hidden()
    open_palette(page, "this rename")
    page.keyboard.press("Enter")
    page.get_by_role("dialog", name="Rename").get_by_role("textbox").fill("Spare bulbs")
    with page.expect_response(is_title):  # asked for by the page, which hears of the change
        page.keyboard.press("Enter")
    expect(page).to_have_title("Spare bulbs · Parley")
    page.keyboard.press("Control+Shift+S")
    page.keyboard.press("Control+Shift+Backspace")
    expect(page.get_by_text("Conversation deleted.")).to_be_visible()


def test_what_the_page_knows_works_without_a_network(visit: Visit) -> None:
    page = visit("/agents/")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    open_palette(page, "keyboard sh")
    expect(active(page)).to_contain_text("Keyboard shortcuts")
    page.keyboard.press("Enter")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    page.context.set_offline(True)
    open_palette(page)
    expect(active(page)).to_contain_text("Keyboard shortcuts")  # used last
    page.keyboard.press("Enter")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    page.context.set_offline(False)
    for theme in ("dark", "as the system"):
        open_palette(page, f"theme {theme}")
        with page.expect_response("**/api/v1/me"):
            page.keyboard.press("Enter")
        shown = "system" if theme.startswith("as") else theme
        expect(page.locator("html")).to_have_attribute("data-theme", shown)


def test_every_shortcut_of_the_sheet_is_listened_to(visit: Visit) -> None:
    page = visit()
    of_documents = {"next-passage", "previous-passage"}
    assert set(page.evaluate(UNBOUND)) <= of_documents
    page.keyboard.press("Control+/")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet.locator("[data-shortcut=palette] kbd")).to_have_text(["Ctrl", "K"])
    assert not violations(page)
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Go to anything")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_first_steps_are_put_away_and_taken_out_again(visit: Visit) -> None:
    page = visit()
    steps = page.get_by_role("region", name="First steps")
    expect(steps).to_contain_text("of 5 done")
    expect(steps.locator(".step")).to_contain_text(["Connect a model"])
    assert not violations(page)
    with page.expect_response("**/api/v1/me"):
        steps.get_by_role("button", name="Put the first steps away").press("Enter")
    expect(steps).to_be_hidden()
    page.reload()
    expect(steps).to_be_hidden()
    with page.expect_response("**/api/v1/me"):
        page.get_by_role("button", name="Show the first steps").press("Enter")
    first = steps.get_by_role("link").first
    expect(first).to_be_focused()
    place = first.get_attribute("href") or ""
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"{re.escape(place)}$"))
