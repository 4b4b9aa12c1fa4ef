"""Who reads one document, set by keyboard and on a phone."""

import pytest
from playwright.sync_api import expect

from accounts import services as accounts
from events import jobs
from knowledge import services
from knowledge.document_access.selectors import is_restricted, list_grants
from knowledge.models import Document
from tests.browser.pages.conftest import DESKTOP, PHONE, accessibility_violations
from tests.knowledge.files import as_stream


@pytest.fixture
def note(transactional_db, alice, bob, charlie) -> Document:
    handbook = services.create_collection(alice, "Handbook")
    accounts.share(handbook, bob, "reader", by=alice)
    document, _ = services.add_document(
        alice, handbook, as_stream("# Leave\n\nFour weeks."), "l.md"
    )
    jobs.run(str(document.job_id))
    document.refresh_from_db()
    return document


def test_shared_and_restricted_by_keyboard(visit, alice, charlie, note):
    page = visit(alice, f"/knowledge/documents/{note.pk}/", **DESKTOP)
    page.get_by_role("link", name="Access").press("Enter")
    expect(page.get_by_role("heading", name="Access", level=1)).to_be_visible()
    page.get_by_label("They read this document too").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_label("They do not: only people and teams named below")).to_be_checked()
    expect(page.locator("[data-viewer]")).to_have_count(1)
    page.get_by_label("E-mail address").fill(charlie.email)
    page.keyboard.press("Enter")
    expect(page.locator("[data-viewer]")).to_have_count(2)
    assert is_restricted(note)
    page.get_by_role("link", name="View as Charlie").press("Enter")
    expect(page.get_by_role("status").filter(has_text="Charlie finds")).to_be_visible()
    assert accessibility_violations(page) == []
    page.get_by_role("button", name="Remove Charlie").press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Charlie has no access by this any more.")
    assert not list_grants(note).exists()
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(page.locator("[data-viewer]")).to_have_count(2)


def test_what_is_shared_is_found_and_read_on_a_phone(visit, alice, charlie, note):
    shared = visit(alice, f"/knowledge/documents/{note.pk}/access/", **PHONE)
    shared.get_by_label("E-mail address").fill(charlie.email)
    shared.get_by_role("button", name="Share").click()
    expect(shared.locator("[data-viewer]")).to_have_count(3)
    wide = shared.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    page = visit(charlie, "/knowledge/", **PHONE)
    page.get_by_role("link", name="Shared documents").click()
    page.get_by_role("link", name="Leave").click()
    expect(page.get_by_role("heading", name="Leave", level=1)).to_be_visible()
    page.get_by_role("link", name="Shared documents").click()
    expect(page.get_by_role("heading", name="Shared documents")).to_be_visible()
    assert accessibility_violations(page) == []
