"""An administrator's way to another embedding version and back, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from events import jobs
from events.models import Job
from gateway.embedding.embedder import LOCAL_NAME
from knowledge import services
from knowledge.embeddings import versions
from knowledge.models import Collection
from tests.browser.pages.conftest import PHONE, accessibility_violations
from tests.knowledge.files import as_stream

PAGE = "/knowledge/search-index/"


@pytest.fixture
def handbook(transactional_db, admin) -> Collection:
    collection = services.create_collection(admin, "Handbook", "How we work.")
    for n, text in enumerate(("Four weeks of notice.", "Trains before planes.", "Soup at noon.")):
        document, _ = services.add_document(admin, collection, as_stream(text), f"{n}.md")
        jobs.run(str(document.job_id))
    return collection


def work(task: str) -> None:
    for job in Job.objects.filter(task=task, finished_at=None):
        jobs.run(str(job.pk))


def confirm(page: Page, name: str) -> None:
    page.locator("#confirm-dialog").get_by_role("button", name=name, exact=True).click()


def test_another_version_is_measured_filled_searched_and_left_again(visit, admin, handbook):
    page = visit(admin, PAGE)
    page.get_by_label("Embedding model").select_option(LOCAL_NAME)
    page.get_by_role("button", name="See what it takes").click()
    expect(page.get_by_text("Not measured yet")).to_be_visible()
    page.get_by_role("button", name="Measure").click()
    expect(page.get_by_text("The storages are being measured.").last).to_be_visible()
    work(versions.MEASURE)
    expect(page.get_by_text("Measured on 2 passages")).to_be_visible(timeout=20_000)
    assert accessibility_violations(page) == []

    page.get_by_label("binary, then exact re-ranking").check()
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#confirm-dialog")).to_contain_text("Cost: nothing.")
    confirm(page, "Begin")
    filling = page.locator(".index-version", has_text="being filled")
    expect(filling).to_be_visible()
    expect(filling.get_by_role("button", name="Pause")).to_be_visible()
    work(versions.FILL)
    page.get_by_role("button", name="Search by it").click(timeout=20_000)
    confirm(page, "Search by it")
    expect(page.locator(".index-version").first).to_contain_text("binary")
    work(versions.FILL)

    page.goto(PAGE)
    page.get_by_label("Question").fill("notice")
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".index-columns section")).to_have_count(2)
    assert accessibility_violations(page) == []
    page.get_by_role("button", name="Go back to it").click()
    confirm(page, "Search by it")
    expect(page.locator(".index-version").first).to_contain_text("half")
    page.locator(".index-version", has_text="binary").get_by_role("button", name="Drop").click()
    confirm(page, "Drop")
    expect(page.locator(".index-version .badge", has_text="being dropped")).to_be_visible()
    work(versions.FILL)
    work(versions.DROP)
    expect(page.locator(".index-version")).to_have_count(1, timeout=20_000)


def test_on_a_phone_too_and_for_editors_of_a_collection(visit, admin, handbook):
    page = visit(admin, f"{PAGE}?model={LOCAL_NAME}", **PHONE)
    expect(page.get_by_role("heading", name="Another version")).to_be_visible()
    assert accessibility_violations(page) == []
    page.goto(f"/knowledge/{handbook.pk}/")
    page.get_by_role("link", name="Search index").click()
    expect(page.get_by_text("3 of 3")).to_be_visible()
    assert accessibility_violations(page) == []
