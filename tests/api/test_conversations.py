import json

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client

from accounts import tokens
from agents.models import Agent
from chat.models import Message, Turn
from events import leases, log
from events.hub import current_hub
from knowledge.models import Collection
from tests.support.cast import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(alice, api_for) -> Api:
    return api_for(alice, "chat")


@pytest.fixture
def conversation_id(api) -> str:
    return api.post("/conversations", {"title": "Travel"}).json()["id"]


def test_a_conversation_from_making_to_deleting(api, alice, conversation_id):
    collection = Collection.objects.create(owner=alice, name="C")
    Agent.objects.create(owner=alice, name="Scribe", slug="scribe")
    place = f"/conversations/{conversation_id}"
    shown = api.get(place).json()
    assert (shown["title"], shown["role"], shown["collections"]) == ("Travel", "owner", [])
    changes = {
        "title": "Munich", "is_pinned": True, "is_archived": True, "agent": "scribe",
        "collections": [str(collection.pk)],
    }  # fmt: skip
    changed = api.patch(place, changes).json()
    assert (changed["title"], changed["is_pinned"], changed["is_archived"]) == (
        "Munich",
        True,
        True,
    )
    assert changed["collections"] == [str(collection.pk)]
    assert changed["agent_id"]
    assert api.patch(place, {"is_archived": False}).json()["title"] == "Munich"
    assert [item["id"] for item in api.get("/conversations").json()["items"]] == [conversation_id]
    assert api.delete(place).status_code == 204
    assert api.get(place).status_code == 404


def test_text_that_is_no_text_is_refused_or_cleaned_never_a_crash(api, conversation_id):
    place = f"/conversations/{conversation_id}/turns"
    for raw in (rb'{"text": "\ud800"}', rb'{"text": "bad \udcff"}', b'{"text": "\xff"}'):
        answer = Client(raise_request_exception=False).generic(
            "POST", f"/api/v1{place}", raw, content_type="application/json",
            headers={"Authorization": f"Bearer {api.token}"},
        )  # fmt: skip
        assert 400 <= answer.status_code < 500, answer.content
    assert api.post(place, {"text": "a\0b"}).status_code == 422


def test_a_change_happens_whole_or_not_at_all(api, conversation_id):
    place = f"/conversations/{conversation_id}"
    assert api.patch(place, {"title": "New", "agent": "nobody"}).status_code == 404
    assert api.get(place).json()["title"] == "Travel"


def test_a_question_is_accepted_once_for_a_key(api, conversation_id):
    place = f"/conversations/{conversation_id}/turns"
    headers = {"Idempotency-Key": "k-1"}
    first = api.post(place, {"text": "May I fly?"}, headers=headers)
    again = api.post(place, {"text": "May I fly?"}, headers=headers)
    assert first.status_code == again.status_code == 202
    assert first.content == again.content
    assert Turn.objects.count() == 1
    other = api.post(place, {"text": "May I walk?"}, headers=headers)
    assert other.status_code == 409
    assert other.json()["type"] == "urn:parley:problem:idempotency-key-reused"


def test_a_turn_and_its_messages_can_be_read_and_stopped(api, conversation_id):
    accepted = api.post(f"/conversations/{conversation_id}/turns", {"text": "May I fly?"}).json()
    turn = api.get(f"/turns/{accepted['turn_id']}").json()
    assert (turn["status"], turn["message_id"]) == ("queued", accepted["message_id"])
    assert turn["message"]["role"] == "assistant"
    items = api.get(f"/conversations/{conversation_id}/messages").json()["items"]
    assert [item["role"] for item in items] == ["user", "assistant"]
    assert items[1]["parent_id"] == items[0]["id"]
    for _ in range(2):
        assert api.post(f"/turns/{accepted['turn_id']}/stop").status_code == 202
    assert Turn.objects.get().stop_requested_at


def test_questions_that_cannot_be_asked(api, alice, conversation_id):
    place = f"/conversations/{conversation_id}/turns"
    assert api.post(place, {"text": "  "}).status_code == 422
    other = Message.objects.create(
        conversation_id=api.post("/conversations", {}).json()["id"], role="user", text="x"
    )
    assert api.post(place, {"text": "x", "parent": str(other.pk)}).status_code == 404


def test_scopes_divide_the_api(alice, api_for, conversation_id):
    place = f"/conversations/{conversation_id}"
    assert api_for(alice, "read").get(place).status_code == 200
    assert api_for(alice, "read").patch(place, {"title": "x"}).status_code == 403
    assert api_for(alice, "write").get(place).status_code == 403
    assert api_for(alice, "chat").post("/collections", {"name": "x"}).status_code == 403
    assert api_for(alice, "write").post("/collections", {"name": "x"}).status_code == 201
    assert api_for(alice).delete(place).status_code == 204


@pytest.mark.django_db(transaction=True)
def test_events_come_as_server_sent_events_and_resume(alice, api, conversation_id):
    accepted = api.post(f"/conversations/{conversation_id}/turns", {"text": "May I fly?"}).json()
    (claim,) = leases.claim("turn", "test", 1)
    events = [("text_delta", {"text": "Yes"}), ("message_completed", {"text_length": 3})]
    last = log.append(claim.stream_id, claim.fence, events, close=True)
    _, plaintext = tokens.issue(alice, "t")

    async def follow(**headers: str) -> str:
        sent = {"Authorization": f"Bearer {plaintext}", **headers}
        path = f"/api/v1/turns/{accepted['turn_id']}/events"
        response = await AsyncClient().get(path, headers=sent)
        assert response["Content-Type"].startswith("text/event-stream")
        parts = [part async for part in response.streaming_content]
        await current_hub().close()
        return b"".join(parts).decode()

    whole = async_to_sync(follow)()
    data = [json.loads(line[6:]) for line in whole.splitlines() if line.startswith("data: ")]
    assert data == [{"text": "Yes"}, {"text_length": 3}]
    rest = async_to_sync(follow)(**{"Last-Event-ID": str(last - 1)})
    assert f"id: {last}\nevent: message_completed" in rest
    assert "text_delta" not in rest
