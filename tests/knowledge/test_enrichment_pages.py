"""Enrichment on its page and in the API: the cost first, then the switch; editors alone."""

from decimal import Decimal

import pytest
from django.test import Client

from accounts.models import Grant, User
from accounts.services import share
from events import jobs as event_jobs
from events.models import Job
from gateway.models import Deployment
from knowledge.models import Collection
from security.acts import Act
from security.models import AuditEntry
from tests.knowledge.conftest import AddText
from tests.knowledge.test_enrichment import LEAVE, writer
from tests.support.model_server import ModelServer

__all__ = ["writer"]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def as_alice(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def run_jobs() -> None:
    for pk in list(Job.objects.filter(finished_at=None).values_list("pk", flat=True)):
        event_jobs.run(str(pk))


def test_the_cost_is_shown_before_it_begins_and_it_ends_where_it_was(
    as_alice: Client, handbook: Collection, writer: ModelServer, add_text: AddText
):
    document = add_text(handbook, LEAVE)
    prices = {"prompt_price": Decimal(1000), "completion_price": Decimal(2000), "currency": "EUR"}
    Deployment.objects.update(**prices)
    page, switch = (f"/knowledge/{handbook.pk}/enrichment/{end}" for end in ("", "switch"))
    first = as_alice.get(page).content.decode()
    assert "Show what it takes" in first
    assert "Switch on" not in first
    shown = as_alice.get(page, {"model": "scripted"}).content.decode()
    assert "EUR" in shown
    assert "Switch on" in shown
    assert not writer.chat_requests
    as_alice.post(switch, {"action": "on", "model": "scripted"})
    run_jobs()
    assert "1 of 1 document" in as_alice.get(page).content.decode()
    assert AuditEntry.objects.filter(act=Act.ENRICHMENT_CHANGED).count() == 1
    curated = as_alice.get(f"/knowledge/documents/{document.pk}/curation/").content.decode()
    assert "Written by the model scripted" in curated
    assert "Zollhandbuch" in curated
    assert "Numbat" in curated
    reader = as_alice.get(f"/knowledge/documents/{document.pk}/").content.decode()
    assert "Numbat" not in reader
    as_alice.post(switch, {"action": "off"})
    run_jobs()
    assert not document.chunks.exclude(context="").exists()
    curated = as_alice.get(f"/knowledge/documents/{document.pk}/curation/").content.decode()
    assert "Zollhandbuch" not in curated
    asked = len(writer.chat_requests)
    as_alice.post(switch, {"action": "on", "model": "scripted"})
    run_jobs()
    assert document.chunks.exclude(context="").count() == document.chunks.count()
    assert len(writer.chat_requests) == asked  # what was written is not written twice
    assert as_alice.post(switch, {"action": "?"}).status_code == 400


def test_programs_do_the_same(
    as_alice: Client, alice: User, bob: User, handbook: Collection, writer: ModelServer,
    add_text: AddText,
):  # fmt: skip
    document = add_text(handbook, LEAVE)
    place = f"/api/v1/collections/{handbook.pk}/enrichment"
    told = as_alice.get(place, {"model": "scripted"}).json()
    assert (told["model"], told["models"]) == ("", ["scripted"])
    assert told["estimate"]["cost"] is None  # no price is known
    assert (told["estimate"]["documents"], told["estimate"]["requests"]) == (1, 2)
    assert told["estimate"]["passages"] == document.chunk_count
    assert as_alice.get(place, {"model": "none"}).status_code == 404
    refused = as_alice.put(place, {"model": "none"}, content_type="application/json")
    assert refused.status_code == 422
    assert refused.json()["type"] == "urn:parley:problem:enrichment-refused"
    begun = as_alice.put(place, {"model": "scripted"}, content_type="application/json")
    assert (begun.status_code, begun.json()["by"]) == (202, alice.get_short_name())
    run_jobs()
    told = as_alice.get(place, {"model": "scripted"}).json()
    assert (told["enriched"], told["failed"], told["estimate"]["passages"]) == (1, 0, 0)
    written = as_alice.get(f"/api/v1/documents/{document.pk}/enrichment").json()
    assert (written["title"], written["model"], written["prompt"]) == (
        "Zollhandbuch",
        "scripted",
        "1",
    )
    assert len(written["passages"]) == document.chunks.count()
    share(handbook, bob, Grant.Role.READER, by=alice)
    reader = Client()
    reader.force_login(bob)
    assert reader.get(place).status_code == 403
    assert reader.get(f"/api/v1/documents/{document.pk}/enrichment").status_code == 403
    assert as_alice.delete(place).status_code == 204


def test_labels_refuse_the_switch(as_alice: Client, handbook: Collection, writer: ModelServer):
    handbook.required_labels = ["eu"]
    handbook.save()
    answer = as_alice.put(
        f"/api/v1/collections/{handbook.pk}/enrichment",
        {"model": "scripted"},
        content_type="application/json",
    )
    assert answer.status_code == 422
    assert "eu" in answer.json()["detail"]
    handbook.refresh_from_db()
    assert not handbook.enrich_model
