"""A curator's day in a real browser: share, look through another's eyes, work on many documents."""

import pytest
from playwright.sync_api import Page, expect

from accounts.models import Grant
from events import jobs
from knowledge import services
from knowledge.models import Collection, Document
from tests.browser.pages.conftest import PHONE, accessibility_violations
from tests.knowledge.files import as_stream


@pytest.fixture
def handbook(transactional_db, alice) -> Collection:
    collection = services.create_collection(alice, "Handbook", "How we work.")
    names = ("leave.md", "travel.md", "notes.txt")
    for name in names:
        text = f"# {name}\n\nFour weeks of notice are needed for {name}."
        document, _ = services.add_document(alice, collection, as_stream(text), name)
        jobs.run(str(document.job_id))
    return collection


def names(page: Page):
    return page.locator("tr[data-document] .name a")


def test_access_is_given_explained_looked_through_and_taken_back(visit, alice, bob, team, handbook):
    page = visit(alice, f"/knowledge/{handbook.pk}/access/")
    page.get_by_label("or a team").select_option(label="Alice's team")
    page.get_by_role("button", name="Share").click()
    who = page.locator("[data-viewer]", has_text="Bob")
    expect(who).to_contain_text("through the team Alice's team")
    assert accessibility_violations(page) == []

    who.get_by_role("link", name="View as Bob").click()
    expect(page.get_by_role("heading", name="As Bob sees it")).to_be_visible()
    expect(page.locator(".seen .person")).to_have_count(3)
    page.get_by_label("Question").fill("notice for travel")
    page.get_by_label("Question").press("Enter")
    expect(page.locator(".hit").first).to_contain_text("travel")
    assert accessibility_violations(page) == []
    page.locator("#eyes-as").select_option("nobody")
    expect(page.get_by_text("They see nothing of this collection")).to_be_visible()

    page.get_by_role("link", name="Back to access").click()
    page.get_by_role("button", name="Remove Alice's team").click()
    expect(page.locator("[data-viewer]", has_text="Bob")).to_have_count(0)
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(page.locator("[data-viewer]", has_text="Bob")).to_have_count(1)
    assert Grant.objects.get(team=team).role == Grant.Role.READER

    page.goto("/knowledge/search/?q=notice")
    page.get_by_label("View as").select_option(label="Bob · bob@example.org")
    expect(page.locator("#hits")).to_contain_text("What Bob finds in collections that you own.")
    expect(page.locator(".hit")).to_have_count(3)
    assert accessibility_violations(page) == []


def test_several_documents_are_chosen_filtered_indexed_and_deleted(visit, alice, handbook):
    page = visit(alice, f"/knowledge/{handbook.pk}/", **PHONE)
    page.get_by_label("Type", exact=True).select_option("text/plain")
    expect(names(page)).to_have_count(1)
    page.get_by_label("Type", exact=True).select_option("")
    expect(names(page)).to_have_count(3)

    bar = page.get_by_role("toolbar", name="Chosen documents")
    expect(bar).to_be_hidden()
    page.locator("[data-tick]").nth(0).check()
    page.locator("[data-tick]").nth(1).check()
    expect(bar).to_contain_text("2 documents chosen")
    assert accessibility_violations(page) == []
    bar.get_by_role("button", name="Index again").click()
    expect(page.locator("#toasts")).to_contain_text("2 documents are being indexed again.")
    expect(page.locator("tr[data-document]", has_text="Waiting")).to_have_count(2)
    for document in Document.objects.filter(status="queued"):
        jobs.run(str(document.job_id))
    expect(page.locator("tr[data-document]", has_text="Ready")).to_have_count(3)

    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_label("Choose all that are shown").check()
    expect(bar).to_contain_text("3 documents chosen")
    page.locator("[data-tick]").nth(0).uncheck()
    bar.get_by_role("button", name="Delete").click()
    expect(names(page)).to_have_count(1)
    expect(bar).to_be_hidden()
    expect(page.locator("#toasts")).to_contain_text("2 documents are deleted.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("2 documents are back.")
    expect(names(page)).to_have_count(3)
