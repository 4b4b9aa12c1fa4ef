"""The pages and the API of the search index: who sees what, and what their buttons do."""

import pytest
from django.test import Client

from accounts.models import Grant, User
from accounts.services import share
from events.models import Job
from gateway.embedding.embedder import LOCAL_NAME
from gateway.models import Deployment, Endpoint, Model
from knowledge.embeddings import versions
from knowledge.models import Collection, EmbeddingVersion, StorageMeasurement
from knowledge.versions import find_active_version
from tests.knowledge.conftest import AddText
from tests.knowledge.test_embedding_versions import run_jobs
from tests.support.model_server import ModelServer

pytestmark = pytest.mark.django_db(transaction=True)
PAGE, ACT = "/knowledge/search-index/", "/knowledge/search-index/act"


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_superuser("root@example.org", "a long password")


@pytest.fixture
def as_admin(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def test_an_administrator_fills_switches_goes_back_and_drops(
    as_admin: Client, handbook: Collection, add_text: AddText
) -> None:
    add_text(handbook, "Every employee has 25 days of leave.")
    first = find_active_version()
    asked = as_admin.get(PAGE, {"model": LOCAL_NAME}).content.decode()
    assert "Not measured yet" in asked
    as_admin.post(ACT, {"action": "measure", "model": LOCAL_NAME})
    assert "being measured" in as_admin.get(PAGE, {"model": LOCAL_NAME}).content.decode()
    add_text(handbook, "Trains are preferred to planes.", "b.txt")
    run_jobs(versions.MEASURE)
    assert set(StorageMeasurement.objects.get().figures) == {"float", "half", "binary"}
    measured = as_admin.get(PAGE, {"model": LOCAL_NAME}).content.decode()
    assert "100 %" in measured
    assert "Measured on" in measured

    as_admin.post(ACT, {"action": "begin", "model": LOCAL_NAME, "storage": "float"})
    version = EmbeddingVersion.objects.get(storage="float")
    assert "being filled" in as_admin.get(PAGE).content.decode()
    run_jobs()
    shown = as_admin.get(PAGE).content.decode()
    assert "Search by it" in shown
    compared = as_admin.get(PAGE, {"q": "vacation", "version": version.pk})
    assert compared.status_code == 200
    as_admin.post(ACT, {"action": "search", "version": version.pk})
    assert find_active_version() == version
    assert find_active_version().chosen_over == LOCAL_NAME
    assert "Go back to it" in as_admin.get(PAGE).content.decode()
    as_admin.post(ACT, {"action": "search", "version": first.pk})
    as_admin.post(ACT, {"action": "drop", "version": version.pk})
    run_jobs(versions.DROP)
    assert list(EmbeddingVersion.objects.values_list("pk", flat=True)) == [first.pk]
    for wrong in ({"action": "drop", "version": "9999"}, {"action": "x"}, {"version": "١"}):
        assert as_admin.post(ACT, wrong).status_code == 404


def test_a_filling_is_paused_and_goes_on(
    as_admin: Client, handbook: Collection, add_text: AddText
) -> None:
    add_text(handbook, "Every employee has 25 days of leave.")
    as_admin.post(ACT, {"action": "begin", "model": LOCAL_NAME, "storage": "binary"})
    version = EmbeddingVersion.objects.get(storage="binary")
    as_admin.post(ACT, {"action": "pause", "version": version.pk})
    assert not versions.open_jobs(version, [versions.FILL])
    assert "Fill the rest" in as_admin.get(PAGE).content.decode()
    as_admin.post(ACT, {"action": "fill", "version": version.pk})
    run_jobs()
    version.refresh_from_db()
    assert version.state == "ready"


def test_what_a_paid_model_would_cost_is_shown_before_anything_is_sent(
    as_admin: Client, handbook: Collection, add_text: AddText, model_server: ModelServer
) -> None:
    endpoint = Endpoint.objects.create(name="E", base_url=model_server.url)
    model = Model.objects.create(
        name="paid", kind=Model.Kind.EMBEDDING, is_default=True, dimensions=384
    )
    Deployment.objects.create(
        model=model, endpoint=endpoint, upstream_name="paid", prompt_price="130000",
        currency="USD",
    )  # fmt: skip
    add_text(handbook, "Every employee has 25 days of leave.")
    shown = as_admin.get(PAGE, {"model": "paid"}).content.decode()
    assert "The gateway's default embedding model is paid" in shown
    assert "1.17 USD" in shown  # nine tokens
    assert not model_server.requests


def test_an_editor_sees_what_the_index_has_of_a_collection(
    client: Client, alice: User, bob: User, handbook: Collection, add_text: AddText
) -> None:
    add_text(handbook, "Every employee has 25 days of leave.")
    share(handbook, bob, Grant.Role.READER, by=alice)
    place = f"/knowledge/{handbook.pk}/search-index/"
    client.force_login(alice)
    assert "1 of 1" in client.get(place).content.decode()
    assert client.get(PAGE).status_code == 404
    assert client.post(ACT, {"action": "drop", "version": 1}).status_code == 404
    found = client.get(f"/api/v1/collections/{handbook.pk}/search-index").json()
    assert (found["vectors"], found["passages"], found["storage"]) == (1, 1, "half")
    client.force_login(bob)
    assert client.get(place).status_code == 404


def test_programs_of_an_administrator_do_the_same(
    as_admin: Client, handbook: Collection, add_text: AddText
) -> None:
    add_text(handbook, "Every employee has 25 days of leave.")
    place = "/api/v1/embedding-versions"

    def post(path: str = "", **body: str):
        return as_admin.post(place + path, body or None, content_type="application/json")

    made = post(model=LOCAL_NAME, storage="binary")
    assert made.status_code == 201, made.content
    number = made.json()["id"]
    assert made.json()["job_id"] == str(Job.objects.get(task=versions.FILL).pk)
    assert post(model=LOCAL_NAME, storage="binary").status_code == 409
    assert post(model="nobody's").status_code == 409
    assert post(f"/{number}/search").status_code == 409  # not ready
    run_jobs()
    assert post(f"/{number}/search").json()["state"] == "active"
    assert as_admin.delete(f"{place}/{number}").status_code == 409
    listed = as_admin.get(place).json()
    assert [(one["storage"], one["state"]) for one in listed] == [
        ("binary", "active"),
        ("half", "retired"),
    ]
    assert post(f"/{listed[1]['id']}/search").status_code == 200
    assert as_admin.delete(f"{place}/{number}").status_code == 202
    another = as_admin.get(f"{place}/another", {"model": LOCAL_NAME}).json()
    assert another["estimate"]["cost"] is not None
    assert post("/measure", model=LOCAL_NAME).json()["is_being_measured"]
