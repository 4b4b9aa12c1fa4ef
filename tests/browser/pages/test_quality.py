"""A curator's way from the first golden question to better weights, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from events import jobs
from events.models import Job
from knowledge import services
from knowledge.models import Collection, QualityTuning
from tests.browser.pages.conftest import PHONE, accessibility_violations
from tests.knowledge.files import as_stream

TEXTS = {
    "Travel": "Trains are preferred to planes. Hotels cost at most 120 euros a night.",
    "Leave": "Every employee has thirty days of annual leave. Leave is asked for in Kiosk.",
}


@pytest.fixture
def handbook(transactional_db, admin) -> Collection:
    collection = services.create_collection(admin, "Handbook", "How we work.")
    for name, text in TEXTS.items():
        stream = as_stream(f"# {name}\n\n{text}")
        document, _ = services.add_document(admin, collection, stream, f"{name}.md")
        jobs.run(str(document.job_id))
    return collection


def work() -> None:
    for job in Job.objects.filter(task__startswith="knowledge.quality", finished_at=None):
        jobs.run(str(job.pk))


def at(collection: Collection, rest: str = "") -> str:
    return f"/knowledge/{collection.pk}/quality/{rest}"


def clean(page: Page) -> None:
    """Also in the dark."""
    assert accessibility_violations(page) == []


def test_from_the_first_question_to_what_became_of_it(visit, admin, handbook):
    page = visit(admin, at(handbook))
    clean(page)
    page.get_by_role("link", name="Write the first question").click()
    page.get_by_label("Question", exact=True).fill("What may a hotel cost?")
    page.get_by_label("Note").fill("from the first week")
    page.get_by_role("button", name="Look what search finds").click()
    page.get_by_role("checkbox", name="Travel").check()
    clean(page)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="What may a hotel cost?")).to_be_visible()
    expect(page.get_by_text("not asked yet")).to_be_visible()
    page.get_by_role("link", name="What may a hotel cost?").click()
    expect(page.get_by_label("Note")).to_have_value("from the first week")
    page.get_by_role("button", name="Delete question").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    page.get_by_role("navigation", name="Quality").get_by_role("link", name="Overview").click()
    page.get_by_role("button", name="Ask now").click()
    expect(page.get_by_text("The questions are about to be asked.")).to_be_visible()
    work()
    page.get_by_role("link", name="Show what they found").click(timeout=20_000)
    expect(page.locator(".quality-figures")).to_contain_text("100 %")
    expect(page.locator(".chart canvas")).to_be_visible()
    clean(page)
    page.locator(".quality-runs a").first.click()
    expect(page.get_by_text("rank 1")).to_be_visible()
    clean(page)


def test_imported_tuned_and_approved_on_a_phone(visit, admin, handbook):
    page = visit(admin, at(handbook, "questions/import/"), **PHONE)
    lines = ["question,document,quote,nothing"]
    lines += [f"What may hotel number {n} cost?,,at most 120 euros," for n in range(10)]
    page.get_by_label("Or its text").fill("\n".join([*lines, "Wrong?,nowhere.md,,"]))
    page.get_by_role("button", name="Look through it").click()
    expect(page.get_by_text("10 lines can be added. 1 line is left out.")).to_be_visible()
    clean(page)
    page.get_by_role("button", name="Add 10 lines").click()
    expect(page.locator(".quality-list > li")).to_have_count(10)
    clean(page)
    page.get_by_role("link", name="Tuning").click()
    page.get_by_role("button", name="Look for better weights").click()
    expect(page.get_by_text("The questions are being searched")).to_be_visible()
    work()
    expect(page.get_by_text("Nothing better was found")).to_be_visible(timeout=20_000)
    found = QualityTuning.objects.get()
    found.proposed |= {"k1": 0.9, "b": 0.3}  # as if these questions told more
    found.save()
    page.reload()
    page.get_by_role("button", name="Apply", exact=True).click()
    expect(page.get_by_role("button", name="Take it back")).to_be_visible()
    clean(page)
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_role("button", name="Apply", exact=True)).to_be_visible()
    page.get_by_role("link", name="Approved answers").click()
    page.get_by_role("link", name="Approve an answer").click()
    page.get_by_label("Question", exact=True).fill("What may a hotel cost?")
    page.get_by_label("Answer", exact=True).fill("At most 120 euros a night [1].")
    page.get_by_label("Quote").first.fill("Hotels cost at most 120 euros")
    clean(page)
    page.get_by_role("button", name="Approve", exact=True).click()
    expect(page.get_by_text("At most 120 euros a night")).to_be_visible()
    clean(page)
