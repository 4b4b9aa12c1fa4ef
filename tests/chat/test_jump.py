"""What the command palette finds: everything by its name, nothing of others."""

import pytest
from django.urls import reverse

from accounts.models import Grant, User
from accounts.services import share
from agents import saved_prompts
from agents.models import Agent
from chat import services as chat
from chat.search.jump import find_targets
from knowledge.models import Collection, Document, Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def things(alice: User) -> dict[str, object]:
    collection = Collection.objects.create(owner=alice, name="Travel handbook 差旅")
    source = Source.objects.create(collection=collection, name="Uploads")
    return {
        "collection": collection,
        "document": Document.objects.create(
            collection=collection, source=source, title="Travel by train", file_name="t.md", size=1,
            sha256="0" * 64,
        ),
        "agent": Agent.objects.create(owner=alice, name="Travel agent", slug="travel"),
        "prompt": saved_prompts.create_prompt(alice, "Plan", "Plan the travel to {{place}}."),
        "conversation": chat.create_conversation(alice, title="Travel to Munich"),
    }  # fmt: skip


def found(user: User, query: str) -> dict[str, str]:
    return {target.kind: target.id for target in find_targets(user, query)}


def test_each_kind_is_found_by_its_words(things, alice) -> None:
    assert found(alice, "travel") == {kind: str(thing.pk) for kind, thing in things.items()}
    assert set(found(alice, "TRAV hand")) == {"collection"}
    assert set(found(alice, "差旅")) == {"collection"}
    assert found(alice, "  ") == {}
    assert found(alice, "travel nowhere") == {}


def test_addresses_lead_there_and_words_are_marked(things, alice, client) -> None:
    client.force_login(alice)
    for target in find_targets(alice, "travel"):
        assert client.get(target.url).status_code == 200, target
        words = [*target.name, *target.detail]
        assert "travel" in [run.text.lower() for run in words if run.is_marked], target


def test_another_finds_what_was_shared_with_them_alone(things, alice, bob, charlie) -> None:
    for thing in things.values():
        if thing is not things["document"]:
            share(thing, bob, Grant.Role.READER, by=alice)
    assert set(found(bob, "travel")) == set(things)
    assert found(charlie, "travel") == {}


def test_the_api_tells_where_the_marks_are(things, alice, api_for) -> None:
    items = api_for(alice, "read").get("/jump?q=train").json()["items"]
    assert [(item["name"], item["marks"]) for item in items] == [("Travel by train", [[10, 15]])]
    assert items[0]["url"] == reverse("knowledge:document", args=[things["document"].pk])
    assert api_for(alice, "read").get("/jump?q=").status_code == 422


def test_one_kind_alone(things, alice, client) -> None:
    assert {target.kind for target in find_targets(alice, "travel", "agent")} == {"agent"}
    client.force_login(alice)
    told = client.get("/api/v1/jump", {"q": "travel", "kind": "document"}).json()["items"]
    assert [item["kind"] for item in told] == ["document"]
    assert client.get("/api/v1/jump", {"q": "travel", "kind": "x"}).status_code == 422
