"""Agents as programs make them: draft, version, history, file."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import Grant, User
from accounts.services import share
from agents.models import Agent
from security.models import AuditEntry
from tests.support.attached import picture
from tests.support.cast import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(alice: User, api_for) -> Api:
    return api_for(alice, "read", "write")


def test_an_agent_from_its_making_to_its_end(api: Api) -> None:
    made = api.post("/agents", {"name": "Leave", "content": {"starters": ["Why?"]}}).json()
    assert (made["slug"], made["version"], made["role"]) == ("leave", 0, "owner")
    assert api.get("/agents/leave").status_code == 404
    place = f"/agents/{made['id']}"
    draft = api.get(f"{place}/draft").json()
    change = {"revision": draft["revision"], "content": {"description": "On leave."}}
    changed = api.patch(f"{place}/draft", change).json()
    assert changed["content"] | {"description": ""} == draft["content"]
    late = api.patch(f"{place}/draft", change)
    assert (late.status_code, late.json()["type"]) == (409, "urn:parley:problem:draft-changed")
    first = api.post(f"{place}/publish", {"revision": changed["revision"], "note": "One"}).json()
    assert (first["number"], first["note"], first["by"]) == (1, "One", "Alice")
    assert api.get("/agents/leave").json()["starters"] == ["Why?"]
    again = api.post(f"{place}/publish", {"revision": changed["revision"]})
    assert again.json()["type"] == "urn:parley:problem:agent-refused"
    assert api.delete("/agents/leave").status_code == 204
    acts = set(AuditEntry.objects.values_list("act", flat=True))
    assert {"agent.published", "agent.deleted"} <= acts


@pytest.mark.parametrize(
    "said", [{"top_p": 2}, {"seed": -1}, {"avoided": [" "]}, {"avoided": ["x" * 61]}, {"top": 1}]
)
def test_what_no_model_could_decode_by_is_refused(api: Api, said: dict[str, Any]) -> None:
    place = f"/agents/{api.post('/agents', {'name': 'Leave'}).json()['id']}/draft"
    revision = api.get(place).json()["revision"]
    assert (
        api.patch(place, {"revision": revision, "content": {"decoding": said}}).status_code == 422
    )
    usual = {"seed": 7, "lora": "", "avoided": []}
    found = api.patch(place, {"revision": revision, "content": {"decoding": usual}}).json()
    assert found["content"]["decoding"] == {"seed": 7}


def test_versions_are_compared_and_brought_back(api: Api) -> None:
    place = f"/agents/{api.post('/agents', {'name': 'Leave'}).json()['id']}"
    for text in ("Be brief.", "Be long."):
        revision = api.get(f"{place}/draft").json()["revision"]
        body = {"revision": revision, "content": {"instructions": text}}
        revision = api.patch(f"{place}/draft", body).json()["revision"]
        api.post(f"{place}/publish", {"revision": revision})
    found = api.get(f"{place}/versions/2/changes?since=1").json()
    assert [(words["kind"], words["text"]) for words in found[0]["words"]] == [
        ("same", "Be "), ("old", "brief"), ("new", "long"), ("same", "."),
    ]  # fmt: skip
    assert api.post(f"{place}/versions/1/restore").json()["number"] == 3
    assert api.get(f"{place}/versions/3").json()["content"]["instructions"] == "Be brief."
    assert api.get(f"{place}/versions/9").status_code == 404


def test_a_reader_asks_and_builds_nothing(api: Api, alice: User, bob: User, api_for) -> None:
    made = Agent.objects.create(owner=alice, name="Leave", slug="leave", instructions="Secret")
    share(made, bob, Grant.Role.READER, by=alice)
    reader = api_for(bob, "read", "write")
    assert "Secret" not in reader.get("/agents/leave").content.decode()
    for path in ("draft", "versions", "versions/1", "export"):
        assert reader.get(f"/agents/{made.pk}/{path}").status_code == 403
    assert api.get(f"/agents/{made.pk}/export").json()["agent"]["instructions"] == "Secret"


def test_an_agent_is_shared_and_taken_back(api: Api, bob: User, api_for) -> None:
    place = f"/agents/{api.post('/agents', {'name': 'Leave'}).json()['id']}"
    given = api("PUT", f"{place}/grants", {"email": "BOB@example.org", "role": "editor"}).json()
    assert (given["name"], given["email"], given["role"]) == ("Bob", "bob@example.org", "editor")
    editor = api_for(bob, "read", "write")
    assert editor.get(f"{place}/draft").status_code == 200
    assert editor.get(f"{place}/grants").status_code == 404  # nothing of it is published
    assert api.get(f"{place}/grants").json() == [given]
    assert api.delete(f"{place}/grants/{given['id']}").status_code == 204
    assert editor.get(f"{place}/draft").status_code == 404
    nobody = api("PUT", f"{place}/grants", {"email": "nobody@example.org", "role": "reader"})
    assert nobody.status_code == 422


def test_a_picture_is_drawn_anew_and_seen_with_the_agent(api: Api, alice, bob, charlie) -> None:
    place = f"/agents/{api.post('/agents', {'name': 'Leave'}).json()['id']}"
    sent = api("PUT", f"{place}/picture", data=picture(), content_type="image/png").json()
    assert api("PUT", f"{place}/grants", {"email": bob.email, "role": "editor"}).status_code == 200
    address = f"/agents/pictures/{sent['content']['picture']}"
    seen = {}
    for person in (alice, bob, charlie):
        client = Client()
        client.force_login(person)
        seen[person] = client.get(address)
    assert [answer.status_code for answer in seen.values()] == [200, 200, 404]
    assert seen[bob].content.startswith(b"\xff\xd8\xff")
    assert seen[bob]["Content-Type"] == "image/jpeg"
    assert api.delete(f"{place}/picture").json()["content"]["picture"] is None


def test_a_file_is_previewed_before_anything_is_made(api: Api) -> None:
    agent = {"name": "Ferries", "collections": ["Nowhere"], "model_name": "nobody-has-it"}
    file = {"format": "parley-agent", "version": 1, "agent": agent}
    preview = api.post("/agents/import", {"file": file, "preview": True}).json()
    assert preview["id"] is None
    assert len(preview["unmatched"]) == 2
    assert not Agent.objects.exists()
    made = api.post("/agents/import", {"file": file})
    assert made.status_code == 201
    content = api.get(f"/agents/{made.json()['id']}/draft").json()["content"]
    assert (content["name"], content["collections"], content["model_name"]) == ("Ferries", [], "")
    broken = {"format": "parley-agent", "version": 2, "agent": agent}
    assert api.post("/agents/import", {"file": broken}).status_code == 422
