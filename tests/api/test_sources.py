"""Sources over the JSON API: what programs push, and what is refused."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts import tokens
from accounts.models import User
from knowledge import services as knowledge
from knowledge.models import Collection, Document
from security.rate_limits import forget_everybody
from security.rates import parse_rates
from tests.knowledge.files import as_stream

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _files_apart(settings, tmp_path):
    settings.FILES_ROOT = tmp_path / "files"


@pytest.fixture
def api(alice: User) -> Client:
    _, secret = tokens.issue(alice, "bot")
    return Client(headers={"authorization": f"Bearer {secret}"})


@pytest.fixture
def pushed(api: Client, alice: User) -> str:
    """The address of a source that programs push to."""
    collection = knowledge.create_collection(alice, "Handbook")
    body = {"kind": "api", "name": "Wiki"}
    answer = api.post(f"/api/v1/collections/{collection.pk}/sources", body, "application/json")
    assert answer.status_code == 201, answer.content
    return f"/api/v1/sources/{answer.json()['id']}"


def push(api: Client, source: str, external_id: str, text: str, name: str = "page.md"):
    file = SimpleUploadedFile(name, text.encode(), "text/markdown")
    return api.post(f"{source}/items", {"external_id": external_id, "file": file, "title": "Page"})


def test_items_are_pushed_changed_and_taken_away(api: Client, pushed: str, alice: User):
    first = push(api, pushed, "wiki/1", "Tea.").json()
    assert first["outcome"] == "added"
    assert push(api, pushed, "wiki/1", "Tea.").json()["outcome"] == "unchanged"
    again = push(api, pushed, "wiki/1", "More tea.").json()
    assert (again["outcome"], again["document_id"]) == ("changed", first["document_id"])
    assert push(api, pushed, "wiki/2", "Coffee.").json()["outcome"] == "added"
    (item, _other) = api.get(f"{pushed}/items").json()["items"]
    assert (item["external_id"], item["title"], item["state"]) == ("wiki/1", "Page", "present")
    document = Document.objects.get(pk=first["document_id"])
    for _time in range(2):
        assert api.delete(f"{pushed}/items?external_id=wiki/1").status_code == 204
    document.refresh_from_db()
    assert document.discarded_at is not None
    assert push(api, pushed, "wiki/1", "Tea, once more.").json()["outcome"] == "added"


def test_what_a_person_added_stays(api: Client, pushed: str, alice: User):
    source = api.get(pushed).json()
    collection = Collection.objects.get(pk=source["collection_id"])
    mine, _ = knowledge.add_document(alice, collection, as_stream("Tea."), "mine.md")
    assert push(api, pushed, "wiki/1", "Tea.").json()["document_id"] == str(mine.pk)
    api.delete(f"{pushed}/items?external_id=wiki/1")
    mine.refresh_from_db()
    assert mine.discarded_at is None


def test_refusals_have_words(api: Client, pushed: str):
    assert push(api, pushed, "x", "\0\1\2", "x.xyz").status_code == 415
    assert push(api, pushed, "", "Tea.").status_code == 422
    answer = api.post(f"{pushed}/sync", {}, "application/json")
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:parley:problem:source-refused")
    collection = api.get(pushed).json()["collection_id"]
    place = f"/api/v1/collections/{collection}/sources"
    for body in (
        {"kind": "folder", "name": "N", "settings": {"path": "/etc"}},
        {"kind": "git", "name": "N", "settings": {"address": "/etc"}},
        {"kind": "git", "name": "N", "settings": {"address": "file:///etc"}},
        {"kind": "web", "name": "N", "settings": {"address": "http://localhost/"}},
        {"kind": "web", "name": "N", "settings": {"address": "http://u:p@example.org/"}},
        {"kind": "web", "name": "N", "settings": {"address": "http://example.org/", "owner": "x"}},
        {"kind": "feed", "name": "N", "settings": {}},
        {"kind": "upload", "name": "N"},
    ):
        answer = api.post(place, body, "application/json")
        assert answer.status_code == 422, body


def test_a_secret_is_never_given_out(api: Client, pushed: str):
    collection = api.get(pushed).json()["collection_id"]
    place = f"/api/v1/collections/{collection}/sources"
    body = {
        "kind": "git", "name": "Docs", "secret": "opensesame-opensesame",
        "settings": {"address": "https://git.example.org/docs.git"},
    }  # fmt: skip
    made = api.post(place, body, "application/json")
    assert made.json()["secret_hint"] == "…same"
    one = f"/api/v1/sources/{made.json()['id']}"
    changed = api.patch(one, {"schedule": "hourly", "grace_days": 3}, "application/json")
    assert (changed.json()["schedule"], changed.json()["grace_days"]) == ("hourly", 3)
    for answer in (made, changed, api.get(one), api.get(place)):
        assert b"opensesame" not in answer.content
    assert api.post(f"{one}/preview").status_code == 202
    assert api.post(f"{one}/sync", {}, "application/json").status_code == 409
    assert api.post(f"{one}/cancel").status_code == 204
    (run,) = api.get(f"{one}/runs").json()["items"]
    assert (run["is_preview"], run["status"]) == (True, "cancelled")
    assert api.delete(f"{one}?documents=remove").status_code == 204
    assert api.get(one).status_code == 404


def test_starting_visits_is_limited(api: Client, pushed: str, settings):
    forget_everybody()
    settings.PARLEY_LIMITS = settings.PARLEY_LIMITS | {"syncs": parse_rates("2/h/person")}
    asked = [api.post(f"{pushed}/sync", {}, "application/json").status_code for _n in range(3)]
    assert asked == [422, 422, 429]  # what is pushed is not visited, but it is counted
    assert api.post(f"{pushed}/preview").status_code == 429
