"""The list of conversations: rename, pin, folders, archive, delete and take that back."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.chat.conftest import PHONE, Visit, answer_late, answered, ask, came

pytestmark = pytest.mark.windowed  # dragging

LISTS = re.compile(r"/conversations/\?")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AUDIT = {"runOnly": RULES, "resultTypes": ["violations"]}


def row_of(page: Page, title: str) -> Locator:
    return page.locator("#history [data-conversation]").filter(has_text=title)


def choose(page: Page, title: str, action: str) -> None:
    row = row_of(page, title)
    row.hover()
    row.locator("[data-conversation-menu]").click()
    page.locator("#conversation-menu").get_by_role("button", name=action, exact=True).click()


def begin(page: Page, question: str) -> None:
    page.goto("/")
    ask(page, question, "Quoting")
    answered(page)
    expect(row_of(page, question)).to_be_visible()


def test_a_conversation_is_renamed_in_its_place(visit: Visit) -> None:
    page = visit()
    begin(page, "Where are the coffee beans kept?")
    choose(page, "coffee beans", "Rename")
    field = page.get_by_role("textbox", name="Title of the conversation")
    expect(field).to_be_focused()
    field.fill("Something else")
    field.press("Escape")
    expect(row_of(page, "coffee beans")).to_be_visible()
    row_of(page, "coffee beans").locator("a").press("F2")
    field.fill("Beans in B3")
    field.press("Enter")
    expect(row_of(page, "Beans in B3").locator("a")).to_be_focused()
    expect(page).to_have_title("Beans in B3 · Parley")
    page.reload()
    expect(row_of(page, "Beans in B3")).to_be_visible()
    choose(page, "Beans in B3", "Pin")
    expect(page.locator("#history h2").first).to_have_text("Pinned")
    choose(page, "Beans in B3", "Unpin")
    expect(page.locator("#history h2").filter(has_text="Pinned")).to_have_count(0)
    expect(page.locator("#history h2").filter(has_text="Today")).to_be_visible()


def test_a_title_is_written_to_its_end_whatever_list_comes_meanwhile(visit: Visit) -> None:
    page = visit()
    begin(page, "Where is the green tea?")
    late = answer_late(page, LISTS)
    page.request.post("/api/v1/folders", data={"name": "Drinks"}, headers=csrf(page))
    answer = came(page, late)
    row_of(page, "green tea").locator("a").press("F2")
    field = page.get_by_role("textbox", name="Title of the conversation")
    field.fill("Tea")
    with page.expect_response(LISTS) as response:
        answer()
    response.value.finished()
    page.evaluate("() => new Promise((done) => setTimeout(done, 50))")
    expect(page.locator("[data-folder]").filter(has_text="Drinks")).to_have_count(0)
    expect(field).to_be_focused()
    page.keyboard.type("Tea stands in B4")
    page.keyboard.press("Enter")
    expect(row_of(page, "Tea stands in B4").locator("a")).to_be_focused()
    expect(page.locator("[data-folder]").filter(has_text="Drinks")).to_be_visible()
    expect(row_of(page, "Tea stands in B4").locator("a")).to_be_focused()


def test_a_deleted_conversation_can_be_brought_back(visit: Visit) -> None:
    page = visit()
    begin(page, "Who keeps the spare keys?")
    choose(page, "spare keys", "Delete")
    expect(page).to_have_url(re.compile(r"/$"))
    expect(row_of(page, "spare keys")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page).to_have_url(re.compile(r"/c/"))
    expect(page.locator(".user .bubble")).to_have_text("Who keeps the spare keys?")
    page.goto("/")
    row_of(page, "spare keys").locator("a").press("Delete")
    expect(page.get_by_text("Conversation deleted.")).to_be_visible()
    expect(row_of(page, "spare keys")).to_have_count(0)
    page.keyboard.press("Control+Shift+F")
    page.keyboard.type("spare keys")
    expect(page.locator("#history")).to_contain_text("No conversation")


def test_a_search_finds_words_of_an_answer_and_opens_the_place(visit: Visit) -> None:
    page = visit()
    begin(page, "How many weeks of parental leave may each parent take?")
    for _ in range(3):
        ask(page, "And who pays for travel?")
        answered(page)
    page.goto("/")
    page.keyboard.press("Control+Shift+F")
    page.keyboard.type("parental lea")
    hit = page.locator("#history .hits a").first
    expect(hit.locator("small")).to_contain_text("weeks")
    expect(hit.locator("small b").first).to_have_text(re.compile("parent", re.IGNORECASE))
    page.keyboard.press("ArrowDown")
    expect(hit).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?at="))
    found = page.url.rpartition("at=")[2]
    expect(page.locator(f'[data-message="{found}"]')).to_be_in_viewport()
    page.keyboard.press("Control+Shift+F")
    page.keyboard.type("没有这样的词")
    expect(page.locator("#history")).to_contain_text("No conversation has all of these words")


def test_folders_by_menu_and_by_dragging(visit: Visit) -> None:
    page = visit()
    begin(page, "How late is the canteen open?")
    choose(page, "canteen open", "Move to folder…")
    page.get_by_role("button", name="New folder…").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("Office")
    page.keyboard.press("Enter")
    folder = page.locator("[data-folder]").filter(has_text="Office")
    expect(folder.locator("[data-conversation]")).to_have_text(re.compile("canteen open"))
    folder.locator("summary").click()
    expect(folder.locator("[data-conversation]")).to_be_hidden()
    made = page.request.post("/api/v1/folders", data={"name": "Later"}, headers=csrf(page)).json()
    later = page.locator("[data-folder]").filter(has_text="Later")
    expect(later).to_be_attached()  # the list was made anew, and folded it is, though shown
    expect(folder.locator("[aria-current]")).to_be_hidden()
    page.request.delete(f"/api/v1/folders/{made['id']}", headers=csrf(page))
    expect(later).to_have_count(0)
    folder.locator("summary").click()
    expect(folder.locator("[data-conversation]")).to_be_visible()
    page.goto("/")
    expect(folder.locator("[data-conversation]")).to_be_visible()
    folder.locator("summary").click()
    expect(folder.locator("[data-conversation]")).to_be_hidden()
    page.reload()
    expect(folder.locator("[data-conversation]")).to_be_hidden()
    folder.locator("summary").click()
    row_of(page, "canteen open").drag_to(page.locator("#history h2").last)
    expect(folder).to_contain_text("Nothing in this folder yet.")
    row_of(page, "canteen open").drag_to(folder)
    expect(folder.locator("[data-conversation]")).to_have_count(1)
    page.reload()
    expect(folder.locator("[data-conversation]")).to_be_visible()
    folder.hover()
    folder.locator("[data-folder-menu]").click()
    page.get_by_role("button", name="Delete folder").click()
    expect(folder).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(folder.locator("[data-conversation]")).to_be_visible()
    folder.hover()
    folder.locator("[data-folder-menu]").click()
    page.get_by_role("button", name="Delete folder").click()
    expect(folder).to_have_count(0)
    expect(row_of(page, "canteen open")).to_be_visible()


def test_the_archive_is_a_list_of_its_own_and_is_searched(visit: Visit) -> None:
    page = visit()
    begin(page, "How warm is the server room?")
    choose(page, "server room", "Archive")
    expect(row_of(page, "server room")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row_of(page, "server room")).to_be_visible()
    choose(page, "server room", "Archive")
    page.locator("#history").get_by_role("button", name="Archive", exact=True).click()
    expect(row_of(page, "server room")).to_be_visible()
    page.locator("#history [data-show-list]").click()
    expect(row_of(page, "server room")).to_have_count(0)
    page.keyboard.press("Control+Shift+F")
    page.keyboard.type("server room")
    expect(row_of(page, "server room")).to_contain_text("Archived")
    choose(page, "server room", "Take out of the archive")
    page.get_by_role("searchbox").fill("")
    expect(row_of(page, "server room")).to_be_visible()


def test_a_conversation_is_exported_and_printed(visit: Visit) -> None:
    page = visit()
    expect(page.locator("#more")).to_be_hidden()
    begin(page, "Who signs the lease?")
    page.get_by_role("button", name="Export the conversation").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Markdown").click()
    assert download.value.suggested_filename == "who-signs-the-lease.md"
    assert download.value.path().read_text().startswith("# Who signs the lease?\n\n## You\n")
    page.emulate_media(media="print")
    expect(page.locator(".user .bubble")).to_be_visible()
    expect(page.locator("#side")).to_be_hidden()
    expect(page.locator(".dock")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sidebar_is_accessible_on_a_phone(visit: Visit, scheme: str) -> None:
    page = visit("/", color_scheme=scheme, **PHONE)
    begin_on_phone(page)
    page.request.post("/api/v1/folders", data={"name": f"Paper, {scheme}"}, headers=csrf(page))
    page.reload()
    page.get_by_role("button", name="Open sidebar").click()
    page.locator("#history > ul [data-conversation-menu]").first.tap()
    expect(page.locator("#conversation-menu")).to_be_visible()
    found = Axe().run(page, options=AUDIT).response["violations"]
    assert [rule["id"] for rule in found] == []


def begin_on_phone(page: Page) -> None:
    ask(page, "Who waters the plants?", "Quoting")
    answered(page)


def csrf(page: Page) -> dict[str, str]:
    token = page.locator('meta[name="csrf-token"]').get_attribute("content") or ""
    return {"X-CSRFToken": token, "Referer": page.url}
