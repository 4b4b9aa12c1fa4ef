"""What clients write: ids of others in bodies, fields they must not set, and plain rubbish."""

import json
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from chat import services as chat
from config.api import api
from tests.support.world import CANARY, World, random_ids

pytestmark = pytest.mark.django_db
PROTECTED = (
    "id", "owner", "owner_id", "user", "user_id", "requested_by", "role", "is_staff",
    "is_superuser", "is_builtin", "quota", "status", "created_at", "tenant", "leaf_id",
)  # fmt: skip
# Fields of bodies that name something by its id, and what of Alice's a thief would put there.
ID_FIELDS = {
    ("create_conversation", "agent"),
    ("create_conversation", "collections"),
    ("update_conversation", "agent"),
    ("update_conversation", "collections"),
    ("move_conversation", "folder"),
    ("start_turn", "agent"),
    ("start_turn", "collections"),
    ("start_turn", "parent"),
    ("search", "collections"),
}
VALID = {
    "create_collection": {"name": "N"},
    "update_collection": {"name": "N"},
    "create_conversation": {"title": "T"},
    "update_conversation": {"title": "T"},
# What of Alice's a thief would put there: every kind of id in every field.
LOOT = (
    "collection_id", "document_id", "conversation_id", "turn_id", "job_id", "message_id",
    "question_id", "folder_id", "agent_id", "agent", "token_id", "team_id", "user_id", "grant_id",
)  # fmt: skip
    "start_turn": {"text": "When?"},
    "search": {"query": "合并"},
}


    "create_folder": {"name": "N"},
    "rename_folder": {"name": "N"},
    "move_conversation": {"folder": None},
def operations() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """Method, path and JSON schema of the body of every operation that takes one."""
    document = api.get_openapi_schema()
    found = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            if "application/json" in content:
                name = content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
                schema = document["components"]["schemas"][name]
                found[operation["operationId"]] = (method.upper(), path, schema)
    return found


def names_something(schema: dict[str, Any]) -> bool:
    text = json.dumps(schema)
    return '"format": "uuid"' in text or "Slug or id" in text


def send(client: Client, method: str, path: str, body: Any, ids: dict[str, Any]):
    place = path.format(**ids)
    data = body if isinstance(body, bytes) else json.dumps(body)
    return client.generic(method, place, data, "application/json")


def test_every_field_that_takes_an_id_is_tried_by_a_thief():
    taking = {
        (name, field)
        for name, (_, _, schema) in operations().items()
        for field, content in schema["properties"].items()
        if names_something(content) or field == "agent"
    }
    assert taking == set(ID_FIELDS)
    assert set(VALID) == set(operations())


@pytest.mark.parametrize(("operation", "field"), ID_FIELDS)
def test_an_id_of_anothers_thing_is_worth_nothing_in_a_body(world: World, operation, field):
    stranger = world.program("stranger")
    own = chat.create_conversation(world.people["stranger"], title="Mine")
    method, path, schema = operations()[operation]
    mine = world.ids | {"conversation_id": own.pk}

    def attempt(value: UUID):
        is_list = '"array"' in json.dumps(schema["properties"][field])
        body = VALID[operation] | {field: [str(value)] if is_list else str(value)}
        return send(stranger, method, path, body, mine)

    stolen = attempt(world.ids[ID_FIELDS[operation, field]])
    guessed = attempt(random_ids()["collection_id"])
    assert stolen.status_code == 404
    assert stolen.content == guessed.content
    assert CANARY not in stranger.get("/api/v1/search").content.decode()
    assert list(own.messages.all()) == []


@pytest.mark.parametrize("operation", VALID)
def test_protected_and_unknown_fields_are_refused(world: World, operation):
    owner = world.program("owner")
    method, path, schema = operations()[operation]
    for field in PROTECTED:
        if field in schema["properties"]:
            continue
        body = VALID[operation] | {field: str(world.people["stranger"].pk)}
        response = send(owner, method, path, body, world.ids)
        assert response.status_code == 422, field
        assert [error["pointer"] for error in response.json()["errors"]] == [f"#/{field}"]


RUBBISH: list[Any] = [
    b"", b"{", b"\xff\xfe\x00", b"[]", b"null", b"1e999", b'{"a":' * 2000, b'"\\ud800"',
    {"text": 1, "name": [], "title": {}, "query": None, "limit": "x", "collections": "x"},
    {"text": "\0", "name": "\0", "title": "\0", "query": "\0", "agent": "\0"},
    {"text": "x" * 200_000, "name": "x" * 200_000, "title": "x" * 5000, "query": "x" * 200_000},
    {"text": " ", "name": " ", "query": "\u200b\u202e", "agent": "' or 1=1 --", "limit": -1},
    {"name": "\U0010ffff", "title": "\U0001f468\u200d\U0001f469", "text": "?", "query": "%' \\"},
    {"limit": 10**30, "query": "x", "collections": [None], "parent": 7},
]  # fmt: skip


@pytest.mark.parametrize("operation", VALID)
def test_rubbish_never_breaks_the_server(world: World, operation):
    owner = world.program("owner")
    method, path, _ = operations()[operation]
    for body in RUBBISH:
        response = send(owner, method, path, body, world.ids)
        assert response.status_code < 500, body


QUERIES = [
    "limit=-1", "limit=x", "limit=1e9", "cursor=%00", "cursor=%F0%9F", "collection=x", "after=-1",
    "after=99999999999999999999", "start=5&end=2", "start=0&end=2147483647&around=5000",
    "start=2147483647&end=2147483647", "start=x", "&&&=", "cursor=" + "A" * 490,
]  # fmt: skip


def test_rubbish_in_the_query_never_breaks_the_server(world: World):
    owner = world.program("owner")
    for path, methods in api.get_openapi_schema()["paths"].items():
        if "get" in methods and not path.endswith("/events"):
            for query in QUERIES:
                response = owner.get(f"{path.format(**world.ids)}?{query}")
                assert response.status_code < 500, f"{path}?{query}"
                if response.streaming:
                    b"".join(response)


@pytest.mark.parametrize("key", ["x" * 201, "ü", "a b", "", "\x7f", "' or 1=1"])
def test_an_odd_idempotency_key_is_refused(world: World, key):
    path = f"/api/v1/conversations/{world.ids['conversation_id']}/turns"
    response = world.program("owner").post(
        path, {"text": "When?"}, "application/json", headers={"Idempotency-Key": key}
    )
    assert response.status_code == 422
    assert response.json()["errors"][0]["in"] == "header"
