"""What clients write: ids of others in bodies, fields they must not set, and plain rubbish."""

import json
import re
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.db import transaction
from django.test import Client

from accounts.models import ApiToken, User
from chat import services as chat
from config.api import api
from knowledge.models import Collection, Document
from tests.permissions.answers import readable, shape
from tests.support.world import CANARY, World, random_ids

pytestmark = pytest.mark.django_db
REFERENCE = re.compile(r'"#/components/schemas/(\w+)"')
PROTECTED = (
    "id", "pk", "owner", "owner_id", "user", "user_id", "requested_by", "role", "team", "team_id",
    "is_staff", "is_superuser", "is_active", "is_builtin", "is_limited", "quota", "status", "size",
    "added_by", "job_id", "created_at", "updated_at", "tenant", "workspace_id", "leaf_id", "scopes",
    "__proto__", "constructor",
)  # fmt: skip
# Fields of bodies that name something by its id.
ID_FIELDS = {
    ("create_conversation", "agent"),
    ("create_conversation", "collections"),
    ("update_conversation", "agent"),
    ("update_conversation", "collections"),
    ("move_conversation", "folder"),
    ("start_turn", "agent"),
    ("start_turn", "collections"),
    ("start_turn", "parent"),
    ("start_turn", "question"),
    ("start_turn", "beside"),
    ("start_turn", "continues"),
    ("start_turn", "attachments"),
    ("branch_conversation", "message"),
    ("search", "collections"),
    ("search", "documents"),
    ("search", "sources"),
    ("change_documents", "documents"),
    ("change_documents", "target"),
    ("change_matching_documents", "source"),
    ("change_matching_documents", "target"),
    ("order_indexing", "documents"),
    ("edit_passage", "passage"),
    ("edit_passage", "next"),
    ("share_prompt", "teams"),
    ("keep_golden_question", "collection"),
    ("give_grant", "team"),
    ("give_agent_grant", "team"),
    ("give_document_grant", "team"),
    ("make_budget", "subject_id"),
    ("add_mcp_server", "teams"),
    ("change_mcp_server", "teams"),
    ("flush_cache", "agent"),
    ("flush_cache", "person"),
}
# Lists of objects that name a document each; where they are sent, and what else is in the body.
RESTING_ON = {
    ("create_golden_question", "expected"): {"question": "Who merges?"},
    ("change_golden_question", "expected"): {"question": "Who merges?"},
    ("create_approved_answer", "sources"): {"question": "Who merges?", "answer": "We do."},
    ("change_approved_answer", "sources"): {"question": "Who merges?", "answer": "We do."},
}
# Drafts of agents hold collections.
IN_CONTENT = {("create_agent", "content"), ("update_agent_draft", "content")}
# What of Alice's a thief would put there: every kind of id in every field.
LOOT = (
    "collection_id", "document_id", "conversation_id", "turn_id", "job_id", "message_id",
    "question_id", "folder_id", "agent_id", "agent", "token_id", "team_id", "user_id", "grant_id",
    "memory_id", "device_id", "takeout_id", "link_id", "import_id", "access_id",
    "attachment_id", "prompt_id", "source_id", "edit_id", "entry_id", "golden_id", "server_id",
    "quality_run_id", "tuning_id", "approved_id",
)  # fmt: skip
VALID = {
    "make_budget": {"name": "Year", "scope": "user", "unit": "tokens", "limit": 1000},
    "change_budget": {"limit": 1},
    "flush_cache": {},
    "create_collection": {"name": "N"},
    "add_glossary_entry": {"terms": ["leave", "vacation"]},
    "change_glossary_entry": {"terms": ["leave", "vacation"]},
    "plant_canary": {"is_planted": True},
    "update_collection": {"name": "N"},
    "create_conversation": {"title": "T"},
    "update_conversation": {"title": "T"},
    "create_folder": {"name": "N"},
    "rename_folder": {"name": "N"},
    "move_conversation": {"folder": None},
    "create_memory": {"text": "I like tea"},
    "add_mcp_server": {"name": "new", "url": "https://mcp.example.org/mcp"},
    "change_mcp_server": {"timeout": 5},
    "decide_mcp_tool": {"decision": "reject", "pin": "0" * 64},
    "decide_approval": {"decision": "approve", "digest": "0" * 64},
    "update_memory": {"text": "I like tea"},
    "choose_memory_mode": {"mode": "asked"},
    "delete_account": {"password": "not this one", "when": "later"},
    "start_turn": {"text": "When?"},
    "steer_turn": {"text": "And the rest?"},
    "branch_conversation": {"message": "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"},
    "rate_answer": {"rating": "good"},
    "search": {"query": "合并"},
    "search_as": {"query": "合并"},
    "change_documents": {
        "action": "reindex",
        "documents": ["0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"],
    },
    "change_matching_documents": {"action": "reindex"},
    "order_indexing": {"order": "first"},
    "switch_enrichment_on": {"model": "none"},
    "create_embedding_version": {"model": "all-MiniLM-L6-v2"},
    "measure_embedding_storages": {"model": "all-MiniLM-L6-v2"},
    "create_source": {"kind": "api", "name": "N"},
    "update_source": {"name": "N"},
    "sync_source": {},
    "create_golden_question": {"question": "Who merges?", "must_find_nothing": True},
    "change_golden_question": {"question": "Who merges?", "must_find_nothing": True},
    "import_golden_questions": {"content": "question,nothing\nWho?,yes"},
    "propose_golden_questions": {},
    "keep_golden_question": {"collection": "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"},
    "review_golden_question": {"accepted": True},
    "start_quality_run": {},
    "change_quality_plan": {"schedule": "daily"},
    "apply_tuning": {},
    "create_approved_answer": {"question": "Who merges?", "answer": "We do."},
    "change_approved_answer": {"question": "Who merges?", "answer": "We do."},
    "edit_passage": {"kind": "add", "text": "More."},
    "update_me": {"theme": "dark"},
    "create_prompt": {"name": "N", "text": "T"},
    "update_prompt": {"name": "N"},
    "import_prompts": {"prompts": []},
    "create_agent": {"name": "N"},
    "update_agent_draft": {"revision": 1, "content": {}},
    "publish_agent": {"revision": 1},
    "import_agent": {
        "file": {"format": "parley-agent", "version": 1, "agent": {"name": "N"}},
        "preview": True,
    },
    "share_prompt": {"teams": []},
    "create_link": {"days": 7},
    "continue_link": {"token": "x"},
    "give_agent_grant": {"email": "nobody@example.org", "role": "reader"},
    "give_document_grant": {"email": "nobody@example.org"},
    "restrict_document": {"restricted": False},
    "give_grant": {"email": "nobody@example.org", "role": "reader"},
    "add_member": {"email": "nobody@example.org"},
    "change_member": {"role": "member"},
}


@cache
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
    """Itself, or in the objects that it holds."""
    text = json.dumps(schema)
    held = api.get_openapi_schema()["components"]["schemas"]
    parts = (held[name] for name in REFERENCE.findall(text))
    return '"format": "uuid"' in text or "Slug or id" in text or any(map(names_something, parts))


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
    assert taking == ID_FIELDS | set(RESTING_ON) | IN_CONTENT
    assert set(VALID) == set(operations())


def offers(schema: dict[str, Any], value: Any, own: Any) -> list[Any]:
    """The ways of putting an id into a field: alone, or twice and around one's own."""
    if '"array"' not in json.dumps(schema):
        return [str(value)]
    return [[str(value)], [str(value), str(own), str(value)]]


def test_s01_an_id_of_anothers_thing_is_worth_nothing_in_a_body(world: World):
    rival = world.program("rival")
    own = chat.create_conversation(world.people["rival"], title="Mine")
    mine = world.ids | {"conversation_id": own.pk}
    mine_too = world.rival_ids["collection_id"]
    told: list[str] = []

    def attempt(operation: str, field: str, value: Any) -> list[Any]:
        method, path, schema = operations()[operation]
        ways = offers(schema["properties"][field], value, mine_too)
        bodies = [VALID[operation] | {field: way} for way in ways]
        return [shape(send(rival, method, path, body, mine)) for body in bodies]

    for operation, field in sorted(ID_FIELDS):
        nothing = attempt(operation, field, random_ids()["collection_id"])
        nobody = attempt(operation, field, "scribe-of-nobody")
        assert {answer[0] for answer in nothing} == {404}
        for name in LOOT:
            stolen = attempt(operation, field, world.ids[name])
            if stolen != (nobody if name == "agent" else nothing):
                told.append(f"{operation} {field} {name}: {stolen}")
    assert not told, "\n".join(told)
    assert list(own.messages.all()) == []
    assert not own.collections.exists()
    assert own.agent is None


def test_s01_ones_own_documents_are_moved_into_no_collection_of_anothers(world: World):
    """Where the document and the collection it is in are one's own, only the target is stolen."""
    rival, own = world.program("rival"), world.rival_ids
    path = "/api/v1/collections/{collection_id}/documents/bulk"
    body = {"action": "move", "documents": [str(own["document_id"])]}
    nothing = shape(
        send(rival, "POST", path, body | {"target": str(random_ids()["collection_id"])}, own)
    )
    assert nothing[0] == 404
    for name in set(LOOT) - {"agent"}:
        stolen = send(rival, "POST", path, body | {"target": str(world.ids[name])}, own)
        assert shape(stolen) == nothing, name
    document = Document.objects.get(pk=own["document_id"])
    assert document.collection_id == own["collection_id"]


def test_s01_an_agent_takes_no_collection_of_anothers(world: World):
    rival, own = world.program("rival"), world.ids | world.rival_ids
    for operation, field in sorted(IN_CONTENT):
        method, path, _ = operations()[operation]

        def attempt(pk: Any, sent=(operation, method, path, field)) -> Any:
            operation, method, path, field = sent
            content = {"is_limited": True, "collections": [str(pk)]}
            return shape(send(rival, method, path, VALID[operation] | {field: content}, own))

        nothing = attempt(random_ids()["collection_id"])
        assert nothing[0] == 404
        for name in set(LOOT) - {"agent"}:
            assert attempt(world.ids[name]) == nothing, (operation, name)
        assert attempt(own["collection_id"])[0] in (200, 201)


def test_s01_an_agent_calls_no_agent_of_anothers(world: World):
    rival, own = world.program("rival"), world.ids | world.rival_ids
    for operation, field in sorted(IN_CONTENT):
        method, path, _ = operations()[operation]

        def attempt(pk: Any, sent=(operation, method, path, field)) -> Any:
            operation, method, path, field = sent
            content = {"helpers": [{"agent": str(pk), "way": "ask"}]}
            return shape(send(rival, method, path, VALID[operation] | {field: content}, own))

        nothing = attempt(random_ids()["agent_id"])
        assert nothing[0] == 404
        for name in set(LOOT) - {"agent"}:
            assert attempt(world.ids[name]) == nothing, (operation, name)


def test_s01_what_is_expected_rests_on_no_document_of_anothers(world: World):
    """In one's own collection and in one's own things, where only the document is stolen."""
    rival, own = world.program("rival"), world.ids | world.rival_ids
    for (operation, field), body in RESTING_ON.items():
        method, path, _ = operations()[operation]

        def attempt(value: Any, quote: str, sent=(method, path, field, body)) -> Any:
            method, path, field, body = sent
            whole = body | {field: [{"document": str(value), "quote": quote}]}
            return shape(send(rival, method, path, whole, own))

        for quote in ("", CANARY):
            nothing = attempt(random_ids()["document_id"], quote)
            assert nothing[0] == 422
            for name in set(LOOT) - {"agent"}:
                assert attempt(world.ids[name], quote) == nothing, (operation, name)


# Pages that take ids in a query or a form; another's must read like one of nothing. `own_` names
# a thing of the rival, who is asking.
PAGE_IDS = [
    ("GET", "/", {"agent": "{agent_id}"}),
    ("GET", "/conversations/", {"current": "{conversation_id}"}),
    ("GET", "/knowledge/search/", {"q": "合并", "collection": "{collection_id}"}),
    ("GET", "/knowledge/search/compare/", {"q": "合并", "collection": "{collection_id}"}),
    ("GET", "/knowledge/search/compare/", {"q": "合并", "as": "{user_id}"}),
    (
        "POST",
        "/knowledge/search/golden",
        {"collection": "{collection_id}", "q": "Is it?", "expects": "nothing"},
    ),
    ("POST", "/why/{message_id}/golden", {"collection": "{own_collection_id}"}),
    ("POST", "/why/{own_message_id}/golden", {"collection": "{collection_id}"}),
    ("GET", "/knowledge/{own_collection_id}/quality/runs/{quality_run_id}/", {}),
    (
        "POST",
        "/knowledge/{own_collection_id}/quality/questions/new/",
        {"text": "Who?", "document": "{document_id}", "quote": ""},
    ),
    (
        "POST",
        "/knowledge/{own_collection_id}/quality/answers/new/",
        {"question": "Who?", "text": "We.", "document": "{document_id}", "quote": ""},
    ),
    ("GET", "/conversations/", {"q": "merger", "collection": "{collection_id}"}),
    ("GET", "/conversations/", {"q": "merger", "agent": "{agent_id}"}),
    ("GET", "/knowledge/{own_collection_id}/documents", {"cursor": "{document_id}"}),
    ("GET", "/knowledge/search/", {"q": "合并", "as": "{user_id}"}),
    ("GET", "/knowledge/{own_collection_id}/view-as/", {"as": "{user_id}"}),
    ("GET", "/knowledge/{own_collection_id}/progress", {"active": "{document_id}"}),
    ("POST", "/c/{own_conversation_id}/thread", {"message": "{message_id}"}),
    ("POST", "/knowledge/{own_collection_id}/access/", {"team": "{team_id}", "role": "reader"}),
    ("POST", "/knowledge/{own_collection_id}/access/{grant_id}/revoke", {}),
    ("POST", "/settings/tokens/{token_id}/revoke", {}),
    ("POST", "/settings/memory/{memory_id}", {"text": "I like coffee"}),
    ("POST", "/settings/connections/{server_id}/connect", {}),
    ("POST", "/settings/connections/{server_id}/disconnect", {}),
    ("GET", "/settings/approvals/{approval_id}", {}),
    ("POST", "/settings/approvals/{approval_id}/decide", {"answer": "deny", "digest": ""}),
    ("POST", "/settings/approvals/permissions/{permission_id}/revoke", {}),
    ("POST", "/settings/memory/{memory_id}/forget", {}),
    ("GET", "/settings/memory/shown", {"id": "{memory_id}"}),
    ("POST", "/settings/sessions/{device_id}/end", {}),
    ("POST", "/settings/data/exports/{takeout_id}/delete", {}),
    ("GET", "/passages/{document_id}", {"at": "0-9"}),
    ("GET", "/api/v1/documents", {"collection": "{collection_id}"}),
    ("GET", "/api/v1/documents", {"source": "{source_id}"}),
    ("GET", "/api/v1/conversations", {"folder": "{folder_id}"}),
    (
        "GET",
        "/api/v1/conversations/search",
        {"q": "merger", "collection": "{collection_id}"},
    ),
    ("GET", "/api/v1/collections/{own_collection_id}/view-as", {"as": "{user_id}"}),
    (
        "POST",
        "/knowledge/{own_collection_id}/bulk",
        {"action": "restore", "document": "{document_id}"},
    ),
    (
        "POST",
        "/knowledge/{own_collection_id}/bulk",
        {"action": "move", "document": "{own_document_id}", "target": "{collection_id}"},
    ),
    ("GET", "/knowledge/{own_collection_id}/matching", {"source": "{source_id}"}),
    (
        "POST",
        "/knowledge/{own_collection_id}/matching",
        {"action": "move", "target": "{collection_id}"},
    ),
    ("POST", "/knowledge/{own_collection_id}/matching/{job_id}", {"act": "undo"}),
    (  # the last: what it says is shown on the next page
        "POST",
        "/knowledge/{own_collection_id}/order",
        {"order": "first", "document": "{document_id}"},
    ),
]


def test_s01_an_id_of_anothers_thing_is_worth_nothing_in_a_query_or_form(world: World):
    rival = world.browser("rival")
    mine = {f"own_{name}": value for name, value in world.rival_ids.items()}
    for method, path, form in PAGE_IDS:
        said = []
        for ids in (world.ids | mine, world.ids | random_ids() | {"agent_id": "x"} | mine):
            data = {name: value.format(**ids) for name, value in form.items()}
            ask = rival.post if method == "POST" else rival.get
            response = ask(path.format(**ids), data)
            text = readable(response)
            assert CANARY not in text, path
            for value in filter(lambda value: len(value) > 9, map(str, ids.values())):
                text = text.replace(value, "…")  # what one sent may be sent back
            said.append((response.status_code, text))
        assert said[0] == said[1], path
    assert not world.people["owner"].api_tokens.exclude(revoked_at=None).exclude(name="revoked")


def test_s05_protected_and_unknown_fields_are_refused(world: World):
    owner = world.program("owner")
    for operation, (method, path, schema) in operations().items():
        fields = set(PROTECTED) - set(schema["properties"])
        body = VALID[operation] | dict.fromkeys(fields, str(world.people["stranger"].pk))
        response = send(owner, method, path, body, world.ids)
        assert response.status_code == 422, operation
        refused = [error["pointer"] for error in response.json()["errors"]]
        assert sorted(refused) == sorted(f"#/{field}" for field in fields), operation


FORMS = {
    "/settings/": {"name": "N", "language": "en", "theme": "dark"},
    "/settings/language": {"language": "en"},
    "/settings/tokens/new": {"name": "t", "days": 30},
    "/knowledge/": {"name": "N", "description": ""},
    "/knowledge/{collection_id}/settings/": {"name": "N", "description": ""},
    "/knowledge/{collection_id}/access/": {"email": "rival@example.org", "role": "reader"},
    "/knowledge/documents/{document_id}/access/": {"email": "rival@example.org", "role": "reader"},
    "/accounts/password/change/": {},
}


def test_s05_protected_fields_of_forms_change_nothing(world: World):
    """Pages ignore what their forms do not have."""
    editor, thief = world.people["owner"], world.people["stranger"]
    browser = world.browser("owner")
    values = {name: str(thief.pk) for name in PROTECTED}
    values |= {"is_staff": "on", "is_superuser": "on", "is_builtin": "on", "email": "x@example.org"}
    before = protected_rows()
    made = set(Collection.objects.values_list("pk", flat=True))
    for path, form in FORMS.items():
        response = browser.post(path.format(**world.ids), {**values, **form})
        assert response.status_code in {200, 302}, path
        after = protected_rows()
        assert {pk: after[pk] for pk in before} == before, path
    new = Collection.objects.exclude(pk__in=made)
    assert {collection.owner for collection in new} == {editor}
    admin = {"name": "t", "days": 30, "scopes": "admin"}
    assert "is not one of the available choices" in (
        browser.post("/settings/tokens/new", admin).content.decode()
    )


def protected_rows() -> dict[Any, tuple[Any, ...]]:
    people = User.objects.values_list("pk", "email", "is_staff", "is_superuser", "is_active")
    owned = Collection.objects.values_list("pk", "owner_id", "created_at")
    tokens = ApiToken.objects.values_list("pk", "user_id", "scopes", "revoked_at", "digest")
    return {row[0]: row[1:] for rows in (people, owned, tokens) for row in rows}


RUBBISH: list[Any] = [
    b"", b"{", b"\xff\xfe\x00", b"[]", b"null", b"1e999", b'{"a":' * 2000, b'"\\ud800"',
    {"text": 1, "name": [], "title": {}, "query": None, "limit": "x", "collections": "x"},
    {"text": "\0", "name": "\0", "title": "\0", "query": "\0", "agent": "\0"},
    {"text": "x" * 200_000, "name": "x" * 200_000, "title": "x" * 5000, "query": "x" * 200_000},
    {"text": " ", "name": " ", "query": "\u200b\u202e", "agent": "' or 1=1 --", "limit": -1},
    {"name": "\U0010ffff", "title": "\U0001f468\u200d\U0001f469", "text": "?", "query": "%' \\"},
    {"limit": 10**30, "query": "x", "collections": [None], "parent": 7},
]  # fmt: skip


def test_rubbish_never_breaks_the_server(world: World):
    owner = world.program("owner")
    for operation, (method, path, _) in operations().items():
        for body in RUBBISH:
            with transaction.atomic():
                response = send(owner, method, path, body, world.ids)
                transaction.set_rollback(True)  # what it did is nothing to the next
            assert response.status_code < 500, (operation, body)


QUERIES = [
    "limit=-1", "limit=x", "limit=1e9", "cursor=%00", "cursor=%F0%9F", "collection=x", "after=-1",
    "after=99999999999999999999", "start=5&end=2", "start=0&end=2147483647&around=5000",
    "start=2147483647&end=2147483647", "start=x", "cursor=" + "A" * 490,
]  # fmt: skip
UNREAD = "&&&=&nothing=%00&%ff=x"


def test_rubbish_in_the_query_never_breaks_the_server(world: World):
    """Each place is sent what it reads; what it does not read is the same to it, whatever it is."""
    owner = world.program("owner")
    for path, methods in api.get_openapi_schema()["paths"].items():
        if "get" in methods and not path.endswith("/events"):
            read = {name["name"] for name in methods["get"].get("parameters", ())}
            for query in [UNREAD, *(query for query in QUERIES if read & set(parse_qs(query)))]:
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
