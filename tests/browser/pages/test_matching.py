"""All documents that match, of which the page shows the first ones alone, in a real browser."""

import pytest
from playwright.sync_api import expect

from events import jobs
from events.models import Job
from knowledge import services
from knowledge.matching import orders
from knowledge.models import Collection, Document
from tests.browser.pages.conftest import PHONE, accessibility_violations
from tests.knowledge.files import as_stream


@pytest.fixture
def handbook(transactional_db, alice) -> Collection:
    collection = services.create_collection(alice, "Handbook", "How we work.")
    for n in range(60):
        name = f"rule-{n:02}.md" if n < 55 else f"note-{n}.md"
        services.add_document(alice, collection, as_stream(f"# {name}\n\nText {n}."), name)
    Document.objects.filter(collection=collection).update(status="ready", job_id=None)
    Job.objects.all().update(status="succeeded")
    return collection


def test_all_that_match_are_chosen_changed_and_brought_back(visit, alice, handbook):
    page = visit(alice, f"/knowledge/{handbook.pk}/?q=rule")
    rows = page.locator("tr[data-document]")
    expect(rows).to_have_count(50)
    page.locator("#tick-all").check()
    bar = page.get_by_role("toolbar", name="Chosen documents")
    expect(bar).to_contain_text("50 documents chosen")
    everything = bar.get_by_role("button", name="Choose all 55 that match")
    expect(everything).to_be_visible()
    assert accessibility_violations(page) == []
    everything.click()
    expect(bar).to_contain_text("All 55 that match are chosen")
    expect(everything).to_be_hidden()
    rows.nth(3).locator("[data-tick]").uncheck()  # a choice of one's own again
    expect(bar).to_contain_text("49 documents chosen")
    page.locator("#tick-all").check()
    everything.click()
    page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(55)
    expect(rows.last.locator("[data-tick]")).to_be_checked()

    bar.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete")
    expect(dialog).to_contain_text("All 55 that match are chosen")
    assert accessibility_violations(page) == []
    dialog.get_by_role("button", name="Cancel").click()
    assert not Job.objects.filter(task=orders.CHANGE).exists()
    bar.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    going = page.locator("#matching")
    expect(going).to_contain_text("Deleting documents")
    expect(going).to_contain_text("begins in a moment")
    assert accessibility_violations(page) == []
    page.reload()
    expect(going).to_contain_text("Deleting documents")
    jobs.run(str(Job.objects.get(task=orders.CHANGE).pk))
    expect(page.locator("#toasts")).to_contain_text("55 documents are deleted.")
    expect(rows).to_have_count(0)
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(going).to_contain_text("Bringing documents back")
    jobs.run(str(Job.objects.get(task=orders.UNDO).pk))
    expect(page.locator("#toasts")).to_contain_text("55 documents are back.")
    expect(rows).to_have_count(50)

    page.locator("#filter-q").fill("note")
    expect(rows).to_have_count(5)
    page.locator("#tick-all").check()
    expect(bar).to_contain_text("5 documents chosen")
    expect(bar.get_by_role("button", name="that match")).to_have_count(0)  # they are all there


def test_a_filter_that_changes_ends_the_choice_and_stop_stops(visit, alice, handbook):
    page = visit(alice, f"/knowledge/{handbook.pk}/", **PHONE)
    page.locator("[data-tick]").first.check()  # there is no box for all
    bar = page.get_by_role("toolbar", name="Chosen documents")
    bar.get_by_role("button", name="Choose all 60 that match").click()
    page.locator("#filter-q").fill("note")
    expect(page.locator("tr[data-document]")).to_have_count(5)
    expect(bar).to_contain_text("1 document chosen")
    page.locator("#filter-q").fill("")
    expect(page.locator("tr[data-document]")).to_have_count(50)
    page.locator("[data-tick]").nth(1).check()
    bar.get_by_role("button", name="Choose all 60 that match").click()
    bar.get_by_role("button", name="Exclude").click()
    page.get_by_role("dialog", name="Exclude").get_by_role("button", name="Exclude").click()
    assert accessibility_violations(page) == []
    page.locator("#matching").get_by_role("button", name="Stop").click()
    expect(page.locator("#toasts")).to_contain_text("0 documents are excluded from search.")
    assert Job.objects.get(task=orders.CHANGE).status == "cancelled"


def test_news_of_a_row_that_a_filter_took_off_the_page_is_passed_over(visit, alice, handbook):
    services.add_document(alice, handbook, as_stream("# New"), "rule-new.md")
    page = visit(alice, f"/knowledge/{handbook.pk}/")
    asked = []

    def hold(route):  # a function of its own: Playwright marks it
        asked.append(route)

    page.route("**/progress?*", hold)
    with page.expect_request(lambda request: "/progress?active=" in request.url):
        pass
    page.locator("#filter-q").fill("note")
    expect(page.locator("tr[data-document]")).to_have_count(5)
    with page.expect_response(lambda answer: "/progress?active=" in answer.url) as told:
        asked[0].continue_()
    assert "rule-new" in told.value.text()
    expect(page.locator("#progress")).to_contain_text("waiting")
