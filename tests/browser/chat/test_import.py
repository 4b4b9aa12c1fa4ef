"""Conversations from elsewhere: uploaded, looked at, brought in, and not a second time."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.chat.conftest import Visit
from tests.support.exports import as_json, as_zip, chatgpt_conversation, claude_conversation

BUSY = 30_000  # two jobs of a worker that may have other things to do


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {rule['nodes'][0]['html'][:160]}" for rule in found]


def upload(page: Page, name: str, content: bytes) -> None:
    page.locator("#import-file").set_input_files(
        {"name": name, "mimeType": "application/zip", "buffer": content}
    )
    page.get_by_role("button", name="Upload").click()


def test_an_export_is_seen_imported_and_not_doubled(visit: Visit) -> None:
    page = visit("/settings/import/")
    both = as_json(chatgpt_conversation(), claude_conversation(), {"title": "Broken"})
    upload(page, "export.zip", as_zip(both))
    card = page.locator(".import").first
    expect(card).to_have_attribute("data-state", "ready", timeout=BUSY)
    expect(card).to_contain_text("2 conversations · 11 messages")
    expect(card.locator(".found").first).to_contain_text("Trains to Munich")
    card.get_by_text("1 cannot be imported").click()
    expect(card).to_contain_text("not a conversation of ChatGPT, Claude or Parley")
    assert not violations(page)
    card.get_by_role("button", name="Import").click()
    expect(card).to_have_attribute("data-state", "done", timeout=BUSY)
    expect(card).to_contain_text("2 conversations added")
    folder = page.locator("#history .folder", has_text="Imported")
    folder.locator("summary").click()
    folder.get_by_role("link", name="Trains to Munich").click()
    expect(page.locator(".answer").last).to_contain_text("That is a Railjet.")
    expect(page.locator(".user .branch")).to_contain_text("2 / 2")
    page.goto("/settings/import/")
    upload(page, "again.json", both)
    expect(card).to_have_attribute("data-state", "ready", timeout=BUSY)
    expect(card).to_contain_text("2 are here already and are left out")
    expect(card.get_by_role("button", name="Import")).to_be_disabled()
    card.get_by_role("button", name="Discard").click()
    expect(page.locator(".import")).to_have_count(1)


def test_what_is_no_export_is_said_in_words(visit: Visit) -> None:
    page = visit("/settings/import/")
    upload(page, "notes.json", b"these are my notes")
    card = page.locator(".import").first
    expect(card).to_have_attribute("data-state", "failed", timeout=BUSY)
    expect(card).to_contain_text("damaged, or is no JSON")
    card.get_by_role("button", name="Remove from the list").click()
    expect(page.locator(".import[data-state=failed]")).to_have_count(0)
