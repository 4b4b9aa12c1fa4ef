"""Saved prompts and settings in the JSON API."""

import json

import pytest
from django.test import Client

from accounts.models import User
from tests.support.cast import Api

pytestmark = pytest.mark.django_db
WORDS = {"name": "Summarise", "text": "Summarise {{topic}} for {{whom}}."}


@pytest.fixture
def api(alice: User, api_for) -> Api:
    return api_for(alice, "chat")


def test_a_prompt_from_saving_to_bringing_it_back(api: Api) -> None:
    made = api.post("/prompts", WORDS).json()
    assert made["variables"] == ["topic", "whom"]
    place = f"/prompts/{made['id']}"
    assert api.patch(place, {"name": "Summary"}).json()["name"] == "Summary"
    assert [item["name"] for item in api.get("/prompts?q=TOPIC").json()["items"]] == ["Summary"]
    assert api.get("/prompts?q=nothing").json()["items"] == []
    assert api.delete(place).status_code == 204
    assert api.get(place).status_code == 404
    assert api.post(f"{place}/restore").json()["id"] == made["id"]


def test_what_is_exported_can_be_imported(api: Api, bob: User, api_for) -> None:
    api.post("/prompts", WORDS)
    exported = api.get("/prompts/export")
    assert 'filename="parley-prompts.json"' in exported["Content-Disposition"]
    other = api_for(bob, "chat")
    file = json.loads(exported.content)
    assert other.post("/prompts/import", file).json() == {"added": 1, "skipped": 0}
    assert other.post("/prompts/import", file).json() == {"added": 0, "skipped": 1}


def test_sharing_with_a_person_who_is_not_there_says_so(api: Api) -> None:
    made = api.post("/prompts", WORDS).json()
    place = f"/prompts/{made['id']}/readers"
    problem = api("PUT", place, {"people": ["nobody@example.org"]})
    assert problem.status_code == 422
    assert "nobody@example.org" in problem.json()["detail"]
    assert api.get(place).json() == {"teams": [], "people": []}


def test_examples_speak_the_language_of_the_request(api: Api) -> None:
    english = api.get("/prompts/examples").json()
    chinese = api.get("/prompts/examples", headers={"Accept-Language": "zh-Hant"}).json()
    assert len(english) == len(chinese) > 3
    assert english[0]["name"] == "Summarise"
    assert not chinese[0]["name"].isascii()


def test_settings_are_changed_one_by_one(alice: User) -> None:
    client = Client()
    client.force_login(alice)

    def patch(body: dict[str, object]) -> dict[str, object]:
        return client.patch("/api/v1/me", json.dumps(body), content_type="application/json").json()

    assert patch({"theme": "dark"})["theme"] == "dark"
    changed = patch({"has_key_shortcuts": False, "language": "zh-hant"})
    assert (changed["has_key_shortcuts"], changed["theme"]) == (False, "dark")
    assert 'data-key-shortcuts="off"' in client.get("/prompts/").content.decode()
    assert patch({"theme": "pink"})["status"] == 422
    assert patch({})["language"] == "zh-hant"
