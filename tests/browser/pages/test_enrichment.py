"""A curator's way to enrichment and back, in a real browser."""

import pytest
from playwright.sync_api import expect

from events import jobs
from events.models import Job
from gateway.models import Endpoint
from gateway.services import connect_model
from knowledge import services
from knowledge.models import Collection
from tests.browser.pages.conftest import PHONE, accessibility_violations
from tests.knowledge.files import as_stream
from tests.knowledge.test_enrichment import LEAVE, write
from tests.support.model_server import ModelServer, Script, model_server

__all__ = ["model_server"]


@pytest.fixture
def handbook(transactional_db, alice, model_server: ModelServer) -> Collection:
    model_server.default = Script(text=write, token_size=200)
    endpoint = Endpoint.objects.create(name="loopback", base_url=model_server.url)
    connect_model(endpoint, "scripted", is_default=True)
    collection = services.create_collection(alice, "Handbook", "How we work.")
    document, _ = services.add_document(alice, collection, as_stream(LEAVE), "leave.md")
    jobs.run(str(document.job_id))
    return collection


def work() -> None:
    for pk in list(Job.objects.filter(finished_at=None).values_list("pk", flat=True)):
        jobs.run(str(pk))


def test_its_cost_is_seen_then_it_is_on_and_curators_see_what_was_written(
    visit, alice, handbook: Collection
):
    page = visit(alice, f"/knowledge/{handbook.pk}/settings/")
    page.get_by_role("link", name="Enrichment", exact=True).click()
    expect(page.get_by_role("button", name="Switch on")).to_have_count(0)
    page.get_by_role("button", name="Show what it takes").click()
    expect(page.get_by_text("An estimate for what is here now.")).to_be_visible()
    assert accessibility_violations(page) == []
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_text("The documents are being enriched.")).to_be_visible()
    work()
    page.reload()
    expect(page.get_by_text("1 of 1 document")).to_be_visible()
    assert accessibility_violations(page) == []
    document = handbook.documents.get()
    page.goto(f"/knowledge/documents/{document.pk}/curation/")
    expect(page.get_by_role("heading", name="Zollhandbuch")).to_be_visible()
    page.get_by_text("Written by a model, for search alone").first.click()
    expect(page.get_by_text("How many bilbies?").first).to_be_visible()
    assert accessibility_violations(page) == []
    page.goto(f"/knowledge/{handbook.pk}/enrichment/")
    page.get_by_role("button", name="Switch off").click()
    expect(page.get_by_text("Enrichment is off.")).to_be_visible()
    phone = visit(alice, f"/knowledge/{handbook.pk}/enrichment/?model=scripted", **PHONE)
    expect(phone.get_by_role("button", name="Switch on")).to_be_visible()
    assert accessibility_violations(phone) == []
