"""Who gets which status at which address: one row a request, one column a member of the cast.

The cast are owner, editor, reader (by a grant of their own), mate (reader by a team), stranger,
rival (of another team, with things of their own), anonymous, revoked (a token that was revoked),
disabled (an editor whose account is off), signed out (a session that is over), and the owner's
tokens narrowed to one scope each.
"""

from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.tokens import Scope
from tests.support.world import CASTS, SIGNED_IN

READ, WRITE, CHAT, ANY = (Scope.READ,), (Scope.WRITE,), (Scope.CHAT,), tuple(Scope)
READ_OR_CHAT = (Scope.READ, Scope.CHAT)
ACCOUNT = (Scope.ADMIN,)


@dataclass(frozen=True)
class Row:
    statuses: tuple[int, ...]
    method: str = "GET"
    query: str = ""
    form: dict[str, Any] = field(default_factory=dict)
    body: Any = None


def api(
    scopes: tuple[Scope, ...], owner: int, editor: int, reader: int, stranger: int, **request: Any
) -> list[Row]:
    """A token of the owner with none of `scopes` is refused."""
    narrowed = (owner if scope in scopes else 403 for scope in Scope)
    people = (owner, editor, reader, reader, stranger, stranger)
    return [Row((*people, 401, 401, 401, 401, *narrowed), **request)]


def page(owner: int, editor: int, reader: int, stranger: int, **request: Any) -> list[Row]:
    """Who is not signed in is sent to the door; tokens open no page."""
    people = (owner, editor, reader, reader, stranger, stranger)
    return [Row(people + (302,) * (len(CASTS) - len(people)), **request)]


def door(signed_in: int, others: int, **request: Any) -> list[Row]:
    counts = len(SIGNED_IN), len(CASTS) - len(SIGNED_IN)
    return [Row((signed_in,) * counts[0] + (others,) * counts[1], **request)]


def open_to_all(status: int, **request: Any) -> list[Row]:
    return [Row((status,) * len(CASTS), **request)]


def upload() -> dict[str, Any]:
    return {"file": SimpleUploadedFile("note.md", b"# Note\n\nSomething else.")}


COLLECTION = "api/v1/collections/<uuidstr:collection_id>"
DOCUMENT = "api/v1/documents/<uuidstr:document_id>"
CONVERSATION = "api/v1/conversations/<uuidstr:conversation_id>"
FOLDER = "api/v1/folders/<uuidstr:folder_id>"
LINK = "api/v1/links/<uuidstr:link_id>"
IMPORT = "api/v1/imports/<uuidstr:import_id>"
PROMPT = "api/v1/prompts/<uuidstr:prompt_id>"
AGENT = "api/v1/agents/<uuidstr:agent_id>"
FILE = {"format": "parley-agent", "version": 1, "agent": {"name": "New"}}
WORDS = {"name": "Summary", "text": "Summarise {{topic}}."}
MESSAGE = "api/v1/messages/<uuidstr:message_id>"
MEMORY = "api/v1/memories/<uuidstr:memory_id>"
APPROVAL = "api/v1/approvals/<uuidstr:approval_id>"
MCP_SERVER = "api/v1/mcp-servers/<uuidstr:server_id>"  # for administrators, who are not in the cast
CONNECTION = "api/v1/connections/<uuidstr:server_id>"
DECISION = {"decision": "approve", "digest": "0" * 64}
ATTACHMENT = "api/v1/attachments/<uuidstr:attachment_id>"
TURN = "api/v1/turns/<uuidstr:turn_id>"
JOB = "api/v1/jobs/<uuidstr:job_id>"
MEMBERS = "api/v1/teams/<uuidstr:team_id>/members"
PAGES = "knowledge/<uuid:collection_id>"
ONE_BUDGET = "api/v1/budgets/<uuidstr:budget_id>"  # for administrators, who are not in the cast
VECTORS = "api/v1/embedding-versions/<int:number>"  # for administrators too
EMBEDDER = {"model": "all-MiniLM-L6-v2"}
BUDGET = {"name": "Year", "scope": "user", "unit": "tokens", "limit": 1000}
SOURCE = "api/v1/sources/<uuidstr:source_id>"
GOLDEN = "api/v1/golden-questions/<uuidstr:golden_id>"
TUNING = "api/v1/tunings/<uuidstr:tuning_id>"
APPROVED = "api/v1/approved-answers/<uuidstr:approved_id>"
QUESTION = {"question": "Who merges?", "must_find_nothing": True}
ANSWER = {"question": "Who merges?", "answer": "We do."}
CONNECTED = {"kind": "api", "name": "Bot"}
PLACE = "knowledge/sources/<uuid:source_id>"
ENTRY = "api/v1/glossary/<uuidstr:entry_id>"
PAPER = "knowledge/documents/<uuid:document_id>"

API = {
    "GET api/v1/me": api(ANY, 200, 200, 200, 200),
    "PATCH api/v1/me": api(WRITE, 200, 200, 200, 200, body={"theme": "dark"}),
    "GET api/v1/me/usage": api(ANY, 200, 200, 200, 200),
    "GET api/v1/me/proof": api(ANY, 200, 200, 200, 200),
    "GET api/v1/proof": api(ACCOUNT, 404, 404, 404, 404),
    "GET api/v1/me/usage/export": api(ANY, 200, 200, 200, 200),
    "GET api/v1/caches": api(ACCOUNT, 404, 404, 404, 404),
    "POST api/v1/caches/flush": api(ACCOUNT, 404, 404, 404, 404, body={"cache": "vectors"}),
    "GET api/v1/embedding-versions": api(ACCOUNT, 404, 404, 404, 404),
    "POST api/v1/embedding-versions": api(ACCOUNT, 404, 404, 404, 404, body=EMBEDDER),
    "GET api/v1/embedding-versions/another": api(
        ACCOUNT, 404, 404, 404, 404, query="model=all-MiniLM-L6-v2"
    ),
    "POST api/v1/embedding-versions/measure": api(ACCOUNT, 404, 404, 404, 404, body=EMBEDDER),
    f"POST {VECTORS}/search": api(ACCOUNT, 404, 404, 404, 404),
    f"POST {VECTORS}/fill": api(ACCOUNT, 404, 404, 404, 404),
    f"POST {VECTORS}/pause": api(ACCOUNT, 404, 404, 404, 404),
    f"DELETE {VECTORS}": api(ACCOUNT, 404, 404, 404, 404),
    f"GET {COLLECTION}/search-index": api(READ, 200, 200, 403, 404),
    "GET api/v1/usage": api(ACCOUNT, 404, 404, 404, 404),
    "GET api/v1/usage/export": api(ACCOUNT, 404, 404, 404, 404),
    "GET api/v1/teams/<uuidstr:team_id>/usage": api(READ, 200, 404, 404, 404),
    "GET api/v1/teams/<uuidstr:team_id>/usage/export": api(READ, 200, 404, 404, 404),
    "GET api/v1/me/quota": api(ANY, 200, 200, 200, 200),
    "GET api/v1/budgets": api(ACCOUNT, 404, 404, 404, 404),
    "POST api/v1/budgets": api(ACCOUNT, 404, 404, 404, 404, body=BUDGET),
    f"GET {ONE_BUDGET}": api(ACCOUNT, 404, 404, 404, 404),
    f"GET {ONE_BUDGET}/quotas": api(ACCOUNT, 404, 404, 404, 404),
    f"PATCH {ONE_BUDGET}": api(ACCOUNT, 404, 404, 404, 404, body={"limit": 1}),
    f"DELETE {ONE_BUDGET}": api(ACCOUNT, 404, 404, 404, 404),
    "GET api/v1/teams": api(ANY, 200, 200, 200, 200),
    f"POST {MEMBERS}": api(WRITE, 422, 404, 404, 404, body={"email": "nobody@example.org"}),
    f"PATCH {MEMBERS}/<uuidstr:user_id>": api(WRITE, 404, 404, 404, 404, body={"role": "member"}),
    f"DELETE {MEMBERS}/<uuidstr:user_id>": api(WRITE, 404, 404, 404, 404),
    "GET api/v1/jump": api(READ, 200, 200, 200, 200, query="q=merger"),
    "GET api/v1/prompts": api(READ_OR_CHAT, 200, 200, 200, 200),
    "POST api/v1/prompts": api(CHAT, 201, 201, 201, 201, body=WORDS),
    "GET api/v1/prompts/examples": api(READ_OR_CHAT, 200, 200, 200, 200),
    "GET api/v1/prompts/export": api(READ_OR_CHAT, 200, 200, 200, 200),
    "POST api/v1/prompts/import": api(CHAT, 200, 200, 200, 200, body={"prompts": [WORDS]}),
    f"GET {PROMPT}": api(READ_OR_CHAT, 200, 200, 200, 404),
    f"PATCH {PROMPT}": api(CHAT, 200, 200, 403, 404, body={"name": "New"}),
    f"DELETE {PROMPT}": api(CHAT, 204, 403, 403, 404),
    f"POST {PROMPT}/restore": api(CHAT, 200, 403, 403, 404),
    f"GET {PROMPT}/readers": api(READ_OR_CHAT, 200, 403, 403, 404),
    f"PUT {PROMPT}/readers": api(CHAT, 200, 403, 403, 404, body={"teams": []}),
    "GET api/v1/people/<uuidstr:user_id>/picture": api(ANY, 404, 404, 404, 404),
    "PUT api/v1/me/picture": api(WRITE, 422, 422, 422, 422),
    "DELETE api/v1/me/picture": api(WRITE, 204, 204, 204, 204),
    "GET api/v1/me/sessions": api(ACCOUNT, 200, 200, 200, 200),
    "DELETE api/v1/me/sessions": api(ACCOUNT, 204, 204, 204, 204),
    "DELETE api/v1/me/sessions/<uuidstr:session_id>": api(ACCOUNT, 204, 404, 404, 404),
    "GET api/v1/me/exports": api(ACCOUNT, 200, 200, 200, 200),
    "POST api/v1/me/exports": api(ACCOUNT, 202, 202, 202, 202),
    "GET api/v1/me/exports/<uuidstr:export_id>/file": api(ACCOUNT, 200, 404, 404, 404),
    "DELETE api/v1/me/exports/<uuidstr:export_id>": api(ACCOUNT, 204, 404, 404, 404),
    "POST api/v1/me/deletion": api(
        ACCOUNT, 403, 403, 403, 403, body={"password": "not this one", "when": "now"}
    ),
    "DELETE api/v1/me/deletion": api(ACCOUNT, 204, 204, 204, 204),
    f"POST {MESSAGE}/golden-question": api(
        WRITE, 201, 201, 201, 404, body={"collection": "{collection_id}"}
    ),
    f"GET {MESSAGE}/why": api(READ_OR_CHAT, 200, 200, 200, 404),
    "GET api/v1/memories": api(READ_OR_CHAT, 200, 200, 200, 200),
    "POST api/v1/memories": api(CHAT, 201, 201, 201, 201, body={"text": "I like tea"}),
    "DELETE api/v1/memories": api(CHAT, 204, 204, 204, 204),
    "PUT api/v1/memories/mode": api(CHAT, 204, 204, 204, 204, body={"mode": "asked"}),
    f"PATCH {MEMORY}": api(CHAT, 200, 404, 404, 404, body={"text": "I like coffee"}),
    f"DELETE {MEMORY}": api(CHAT, 204, 404, 404, 404),
    "GET api/v1/mcp-servers": api(ACCOUNT, 404, 404, 404, 404),
    "POST api/v1/mcp-servers": api(
        ACCOUNT, 404, 404, 404, 404, body={"name": "new", "url": "https://mcp.example.org/mcp"}
    ),
    f"GET {MCP_SERVER}": api(ACCOUNT, 404, 404, 404, 404),
    f"PATCH {MCP_SERVER}": api(ACCOUNT, 404, 404, 404, 404, body={"timeout": 5}),
    f"DELETE {MCP_SERVER}": api(ACCOUNT, 404, 404, 404, 404),
    f"POST {MCP_SERVER}/check": api(ACCOUNT, 404, 404, 404, 404),
    f"GET {MCP_SERVER}/tools": api(ACCOUNT, 404, 404, 404, 404),
    f"POST {MCP_SERVER}/tools/<uuidstr:tool_id>/decision": api(
        ACCOUNT, 404, 404, 404, 404, body={"decision": "reject", "pin": "0" * 64}
    ),
    "GET api/v1/connections": api(READ_OR_CHAT, 200, 200, 200, 200),
    f"POST {CONNECTION}": api(ACCOUNT, 409, 404, 404, 404),  # nobody listens there
    f"DELETE {CONNECTION}": api(ACCOUNT, 200, 404, 404, 404),
    "GET api/v1/approvals": api(READ_OR_CHAT, 200, 200, 200, 200),
    f"GET {APPROVAL}": api(READ_OR_CHAT, 200, 404, 404, 404),
    f"POST {APPROVAL}/decision": api(ACCOUNT, 409, 404, 404, 404, body=DECISION),
    "GET api/v1/tool-permissions": api(READ_OR_CHAT, 200, 200, 200, 200),
    "DELETE api/v1/tool-permissions/<uuidstr:permission_id>": api(CHAT, 204, 404, 404, 404),
    "GET api/v1/agents": api(READ_OR_CHAT, 200, 200, 200, 200),
    "GET api/v1/agents/<slug:agent>": api(READ_OR_CHAT, 200, 200, 200, 404),
    "POST api/v1/agents": api(WRITE, 201, 201, 201, 201, body={"name": "New"}),
    "DELETE api/v1/agents/<slug:agent>": api(WRITE, 204, 403, 403, 404),
    "POST api/v1/agents/import": api(
        WRITE, 200, 200, 200, 200, body={"file": FILE, "preview": True}
    ),
    f"GET {AGENT}/draft": api(READ, 200, 200, 403, 404),
    f"PATCH {AGENT}/draft": api(
        WRITE, 200, 200, 403, 404, body={"revision": 1, "content": {"name": "New"}}
    ),
    f"DELETE {AGENT}/draft": api(WRITE, 200, 200, 403, 404),
    f"PUT {AGENT}/picture": api(WRITE, 422, 422, 403, 404),
    f"DELETE {AGENT}/picture": api(WRITE, 200, 200, 403, 404),
    f"POST {AGENT}/publish": api(WRITE, 422, 422, 403, 404, body={"revision": 1}),
    f"GET {AGENT}/publication": api(READ, 200, 200, 403, 404),
    f"DELETE {AGENT}/publication": api(WRITE, 204, 204, 403, 404),
    f"GET {AGENT}/versions": api(READ, 200, 200, 403, 404),
    f"GET {AGENT}/versions/<int:number>": api(READ, 200, 200, 403, 404),
    f"GET {AGENT}/versions/<int:number>/changes": api(READ, 200, 200, 403, 404, query="since=1"),
    f"POST {AGENT}/versions/<int:number>/restore": api(WRITE, 201, 201, 403, 404),
    f"POST {AGENT}/duplicate": api(WRITE, 201, 201, 403, 404),
    f"GET {AGENT}/export": api(READ, 200, 200, 403, 404),
    f"GET {AGENT}/grants": api(READ, 200, 403, 403, 404),
    f"PUT {AGENT}/grants": api(
        WRITE, 422, 403, 403, 404, body={"email": "nobody@example.org", "role": "reader"}
    ),
    f"DELETE {AGENT}/grants/<uuidstr:grant_id>": api(WRITE, 404, 403, 403, 404),
    "GET api/v1/collections": api(READ, 200, 200, 200, 200),
    "POST api/v1/collections": api(WRITE, 201, 201, 201, 201, body={"name": "New"}),
    f"GET {COLLECTION}": api(READ, 200, 200, 200, 404),
    f"PUT {COLLECTION}/canary": api(WRITE, 200, 200, 403, 404, body={"is_planted": True}),
    f"PATCH {COLLECTION}": api(WRITE, 200, 200, 403, 404, body={"name": "New"}),
    f"GET {COLLECTION}/viewers": api(READ, 200, 403, 403, 404),
    f"GET {COLLECTION}/view-as": api(READ, 200, 403, 403, 404, query="as={user_id}"),
    f"POST {COLLECTION}/search-as": api(
        READ, 200, 403, 403, 404, body={"query": "merger", "as": "{user_id}"}
    ),
    f"POST {COLLECTION}/documents/bulk": api(
        WRITE, 200, 200, 403, 404, body={"action": "reindex", "documents": ["{document_id}"]}
    ),
    f"GET {COLLECTION}/documents/matching": api(READ, 200, 200, 403, 404),
    f"POST {COLLECTION}/documents/matching": api(
        WRITE, 202, 202, 403, 404, body={"action": "reindex"}
    ),
    f"POST {COLLECTION}/documents/matching/<uuidstr:job_id>/undo": api(
        WRITE, 404, 404, 403, 404
    ),  # it is no such job
    f"DELETE {COLLECTION}": api(WRITE, 204, 403, 403, 404),
    f"POST {COLLECTION}/documents": api(WRITE, 202, 202, 403, 404, form=upload()),
    f"GET {COLLECTION}/sources": api(READ, 200, 200, 403, 404),
    f"POST {COLLECTION}/sources": api(WRITE, 201, 201, 403, 404, body=CONNECTED),
    f"GET {SOURCE}": api(READ, 200, 200, 404, 404),
    f"PATCH {SOURCE}": api(WRITE, 200, 200, 404, 404, body={"name": "New"}),
    f"DELETE {SOURCE}": api(WRITE, 204, 204, 404, 404),
    f"POST {SOURCE}/preview": api(WRITE, 422, 422, 404, 404),  # of what is pushed
    f"POST {SOURCE}/sync": api(WRITE, 422, 422, 404, 404, body={}),
    f"POST {SOURCE}/pause": api(WRITE, 200, 200, 404, 404),
    f"POST {SOURCE}/resume": api(WRITE, 200, 200, 404, 404),
    f"POST {SOURCE}/cancel": api(WRITE, 204, 204, 404, 404),
    f"GET {SOURCE}/runs": api(READ, 200, 200, 404, 404),
    f"GET {SOURCE}/items": api(READ, 200, 200, 404, 404),
    f"POST {SOURCE}/items": api(
        WRITE, 200, 200, 404, 404, form={**upload(), "external_id": "note"}
    ),
    f"DELETE {SOURCE}/items": api(WRITE, 204, 204, 404, 404, query="external_id=note"),
    "GET api/v1/documents": api(READ, 200, 200, 200, 404, query="collection={collection_id}"),
    f"GET {DOCUMENT}/access": api(READ, 200, 403, 403, 404),
    f"PUT {DOCUMENT}/access": api(WRITE, 200, 403, 403, 404, body={"restricted": False}),
    f"PUT {DOCUMENT}/grants": api(WRITE, 422, 403, 403, 404, body={"email": "nobody@example.org"}),
    f"DELETE {DOCUMENT}/grants/<uuidstr:grant_id>": api(WRITE, 404, 403, 403, 404),
    f"GET {DOCUMENT}": api(READ, 200, 200, 200, 404),
    f"DELETE {DOCUMENT}": api(WRITE, 204, 204, 403, 404),
    f"GET {DOCUMENT}/chunks": api(READ, 200, 200, 200, 404),
    f"GET {DOCUMENT}/file": api(READ, 200, 200, 200, 404),
    f"GET {DOCUMENT}/passage": api(READ, 200, 200, 200, 404, query="start=0&end=9"),
    f"GET {DOCUMENT}/versions": api(READ, 200, 200, 200, 404),
    f"POST {DOCUMENT}/versions": api(WRITE, 202, 202, 403, 404, form=upload()),
    f"GET {DOCUMENT}/versions/<int:number>/text": api(READ, 200, 200, 200, 404),
    f"GET {DOCUMENT}/versions/<int:number>/file": api(READ, 200, 200, 200, 404),
    f"POST {DOCUMENT}/versions/<int:number>/restore": api(WRITE, 202, 202, 403, 404),
    f"GET {COLLECTION}/indexing": api(READ, 200, 200, 200, 404),
    f"POST {COLLECTION}/indexing": api(WRITE, 202, 202, 403, 404, body={"order": "first"}),
    f"GET {DOCUMENT}/figures/<int:number>": api(READ, 200, 200, 200, 404),
    f"GET {COLLECTION}/enrichment": api(READ, 200, 200, 403, 404),
    f"PUT {COLLECTION}/enrichment": api(WRITE, 422, 422, 403, 404, body={"model": "none"}),
    f"DELETE {COLLECTION}/enrichment": api(WRITE, 204, 204, 403, 404),
    f"GET {DOCUMENT}/enrichment": api(READ, 404, 404, 403, 404),
    f"GET {COLLECTION}/glossary": api(READ, 200, 200, 200, 404),
    f"POST {COLLECTION}/glossary": api(WRITE, 201, 201, 403, 404, body={"terms": ["a b", "c d"]}),
    f"POST {COLLECTION}/glossary/import": api(WRITE, 200, 200, 403, 404, form=upload()),
    f"GET {COLLECTION}/glossary.csv": api(READ, 200, 200, 200, 404),
    f"PUT {ENTRY}": api(WRITE, 200, 200, 403, 404, body={"terms": ["a b", "c d"]}),
    f"DELETE {ENTRY}": api(WRITE, 204, 204, 403, 404),
    f"GET {COLLECTION}/golden-questions": api(READ, 200, 200, 200, 404),
    f"POST {COLLECTION}/golden-questions": api(WRITE, 201, 201, 201, 404, body=QUESTION),
    f"POST {COLLECTION}/golden-questions/import": api(
        WRITE, 200, 200, 403, 404, body={"content": "question,nothing\nWho?,yes"}
    ),
    f"POST {COLLECTION}/golden-questions/propose": api(WRITE, 422, 422, 403, 404, body={}),
    f"PUT {GOLDEN}": api(WRITE, 200, 200, 403, 404, body=QUESTION),
    f"POST {GOLDEN}/review": api(WRITE, 200, 200, 403, 404, body={"accepted": True}),
    f"DELETE {GOLDEN}": api(WRITE, 204, 204, 403, 404),
    f"GET {COLLECTION}/quality/runs": api(READ, 200, 200, 200, 404),
    f"POST {COLLECTION}/quality/runs": api(WRITE, 202, 202, 403, 404, body={}),
    "GET api/v1/quality-runs/<uuidstr:quality_run_id>": api(READ, 200, 200, 200, 404),
    f"GET {COLLECTION}/quality/plan": api(READ, 200, 200, 403, 404),
    f"PUT {COLLECTION}/quality/plan": api(WRITE, 200, 200, 403, 404, body={"schedule": "daily"}),
    f"GET {COLLECTION}/quality/tunings": api(READ, 200, 200, 403, 404),
    f"POST {COLLECTION}/quality/tunings": api(WRITE, 422, 422, 403, 404),
    f"POST {TUNING}/apply": api(WRITE, 422, 422, 403, 404, body={}),
    f"POST {TUNING}/revert": api(WRITE, 422, 422, 403, 404),
    f"GET {COLLECTION}/approved-answers": api(READ, 200, 200, 200, 404),
    f"POST {COLLECTION}/approved-answers": api(WRITE, 201, 201, 403, 404, body=ANSWER),
    f"PUT {APPROVED}": api(WRITE, 200, 200, 403, 404, body=ANSWER),
    f"DELETE {APPROVED}": api(WRITE, 204, 204, 403, 404),
    f"GET {DOCUMENT}/curation": api(READ, 200, 200, 403, 404),
    f"GET {DOCUMENT}/edits": api(READ, 200, 200, 403, 404),
    f"POST {DOCUMENT}/edits": api(WRITE, 201, 201, 403, 404, body={"kind": "add", "text": "More."}),
    "DELETE api/v1/edits/<uuidstr:edit_id>": api(WRITE, 204, 204, 404, 404),
    f"POST {DOCUMENT}/restore": api(WRITE, 200, 200, 403, 404),
    f"POST {DOCUMENT}/retry": api(WRITE, 202, 202, 403, 404),
    "POST api/v1/search": api(READ, 200, 200, 200, 200, body={"query": "合并"}),
    "GET api/v1/conversations": api(READ_OR_CHAT, 200, 200, 200, 200),
    "POST api/v1/conversations": api(CHAT, 201, 201, 201, 201, body={}),
    "GET api/v1/conversations/export": api(READ_OR_CHAT, 200, 200, 200, 200),
    f"GET {CONVERSATION}/export": api(READ_OR_CHAT, 200, 200, 200, 404, query="format=markdown"),
    "GET api/v1/conversations/search": api(READ_OR_CHAT, 200, 200, 200, 200, query="q=merger"),
    f"GET {CONVERSATION}": api(READ_OR_CHAT, 200, 200, 200, 404),
    f"PATCH {CONVERSATION}": api(CHAT, 200, 200, 403, 404, body={"title": "New"}),
    f"DELETE {CONVERSATION}": api(CHAT, 204, 403, 403, 404),
    f"POST {CONVERSATION}/restore": api(CHAT, 200, 403, 403, 404),
    f"PUT {CONVERSATION}/folder": api(CHAT, 200, 200, 200, 404, body={"folder": None}),
    "GET api/v1/folders": api(READ_OR_CHAT, 200, 200, 200, 200),
    "POST api/v1/folders": api(CHAT, 201, 201, 201, 201, body={"name": "New"}),
    f"PATCH {FOLDER}": api(CHAT, 200, 404, 404, 404, body={"name": "New"}),
    f"DELETE {FOLDER}": api(CHAT, 204, 404, 404, 404),
    f"GET {CONVERSATION}/messages": api(READ_OR_CHAT, 200, 200, 200, 404),
    f"POST {CONVERSATION}/turns": api(CHAT, 202, 202, 403, 404, body={"text": "When?"}),
    "GET api/v1/models": api(READ_OR_CHAT, 200, 200, 200, 200),
    "GET api/v1/links": api(READ_OR_CHAT, 200, 200, 200, 200),
    f"GET {CONVERSATION}/links": api(READ_OR_CHAT, 200, 403, 403, 404),
    f"POST {CONVERSATION}/links": api(CHAT, 201, 403, 403, 404, body={"days": 7}),
    f"POST {LINK}/update": api(CHAT, 200, 404, 404, 404),
    f"DELETE {LINK}": api(CHAT, 204, 404, 404, 404),
    "POST api/v1/links/continue": api(CHAT, 404, 404, 404, 404, body={"token": "{token}"}),
    f"GET {CONVERSATION}/grants": api(READ_OR_CHAT, 200, 403, 403, 404),
    f"PUT {CONVERSATION}/grants": api(
        CHAT, 200, 403, 403, 404, body={"email": "mate@example.org", "role": "reader"}
    ),
    f"DELETE {CONVERSATION}/grants/<uuidstr:access_id>": api(CHAT, 204, 403, 403, 404),
    f"POST {CONVERSATION}/keep": api(CHAT, 200, 403, 403, 404),
    "GET api/v1/imports": api(READ_OR_CHAT, 200, 200, 200, 200),
    "POST api/v1/imports": api(CHAT, 202, 202, 202, 202, form=upload()),
    f"GET {IMPORT}": api(READ_OR_CHAT, 200, 404, 404, 404),
    f"POST {IMPORT}/start": api(CHAT, 202, 404, 404, 404),
    f"DELETE {IMPORT}": api(CHAT, 204, 404, 404, 404),
    f"POST {CONVERSATION}/branch": api(CHAT, 201, 201, 201, 404, body={"message": "{message_id}"}),
    f"GET {MESSAGE}/feedback": api(READ_OR_CHAT, 200, 404, 404, 404),
    f"PUT {MESSAGE}/feedback": api(CHAT, 200, 200, 200, 404, body={"rating": "bad"}),
    f"DELETE {MESSAGE}/feedback": api(CHAT, 204, 204, 204, 404),
    f"POST {MESSAGE}/choose": api(CHAT, 200, 200, 403, 404),
    "POST api/v1/attachments": api(CHAT, 202, 202, 202, 202, form=upload()),
    f"GET {ATTACHMENT}": api(READ_OR_CHAT, 200, 200, 200, 404),
    f"DELETE {ATTACHMENT}": api(CHAT, 204, 403, 403, 404),
    f"GET {ATTACHMENT}/file": api(READ_OR_CHAT, 200, 200, 200, 404),
    f"GET {ATTACHMENT}/image": api(READ_OR_CHAT, 200, 200, 200, 404),
    f"GET {TURN}": api(READ_OR_CHAT, 200, 200, 200, 404),
    f"GET {TURN}/events": api(READ_OR_CHAT, 200, 200, 200, 404),
    f"GET {TURN}/calls": api(READ_OR_CHAT, 200, 200, 200, 404),
    f"GET {TURN}/notes": api(READ_OR_CHAT, 200, 404, 404, 404),
    f"POST {TURN}/notes": api(CHAT, 202, 404, 404, 404, body={"text": "And the rest?"}),
    f"POST {TURN}/stop": api(CHAT, 202, 202, 403, 404),
    f"GET {JOB}": api(READ_OR_CHAT, 200, 200, 200, 404),
    f"GET {JOB}/events": api(READ_OR_CHAT, 200, 200, 200, 404),
    f"POST {JOB}/cancel": api(WRITE, 202, 202, 403, 404),
    "api/v1/": open_to_all(404),
    "api/v1/docs": open_to_all(200),
    "api/v1/openapi.json": open_to_all(200),
}
ASKED = {"model": "{agent}", "stream": True, "messages": [{"role": "user", "content": "When?"}]}
EMBEDDER = "all-MiniLM-L6-v2"
TOOLS_LIST = {"jsonrpc": "2.0", "id": "1", "method": "tools/list"}
V1 = {
    "v1/models": api(READ_OR_CHAT, 200, 200, 200, 200),
    "v1/models/<path:model>": api(READ_OR_CHAT, 200, 200, 200, 404),
    "v1/chat/completions": api(CHAT, 200, 200, 200, 404, method="POST", body=ASKED),
    "v1/completions": api(
        CHAT,
        200,
        200,
        200,
        404,
        method="POST",
        body={"model": "{agent}", "prompt": "When?", "stream": True},
    ),
    "v1/responses": api(
        CHAT,
        200,
        200,
        200,
        404,
        method="POST",
        body={"model": "{agent}", "input": "When?", "stream": True},
    ),
    "v1/embeddings": api(
        CHAT, 200, 200, 200, 200, method="POST", body={"model": EMBEDDER, "input": "When?"}
    ),
    "v1/rerank": api(
        CHAT,
        200,
        200,
        200,
        200,
        method="POST",
        body={"model": EMBEDDER, "query": "When?", "documents": ["Then."]},
    ),
    "v1/<path:place>": open_to_all(404),
    "mcp": api(READ_OR_CHAT, 200, 200, 200, 200, method="POST", body=TOOLS_LIST),
    ".well-known/oauth-protected-resource/mcp": open_to_all(200),
}
PAGE = {
    "": page(200, 200, 200, 200),
    "c/<uuid:conversation_id>": page(200, 200, 200, 404),
    "c/<uuid:conversation_id>/thread": [
        *page(200, 200, 200, 404),
        *page(200, 200, 200, 404, method="POST", form={"message": "{message_id}"}),
    ],
    "conversations/": page(200, 200, 200, 200),
    "passages/<uuid:document_id>": page(200, 200, 200, 404, query="at=0-9"),
    "diagram-frame": open_to_all(200),
    "jsi18n/<slug:language>/": open_to_all(200),
    "agents/": page(200, 200, 200, 200),
    "agents/<uuid:agent_id>/": page(200, 200, 404, 404),
    "agents/<uuid:agent_id>/publication/": page(200, 200, 404, 404),
    "agents/<uuid:agent_id>/versions/": page(200, 200, 404, 404),
    "agents/<uuid:agent_id>/access/": page(200, 404, 404, 404),
    "agents/<uuid:agent_id>/access/<uuid:grant_id>/revoke": page(404, 404, 404, 404, method="POST"),
    "agents/<uuid:agent_id>/try/": page(200, 200, 404, 404),
    "agents/pictures/<uuid:picture_id>": page(200, 200, 200, 404),
    "prompts/": page(200, 200, 200, 200),
    "knowledge/": [
        *page(200, 200, 200, 200),
        *page(302, 302, 302, 302, method="POST", form={"name": "New", "description": ""}),
    ],
    "knowledge/search-index/": page(404, 404, 404, 404),
    "knowledge/search-index/act": page(404, 404, 404, 404, method="POST"),
    f"{PAGES}/search-index/": page(200, 200, 404, 404),
    f"{PAGES}/enrichment/": page(200, 200, 404, 404),
    f"{PAGES}/enrichment/switch": page(302, 302, 404, 404, method="POST", form={"action": "off"}),
    "knowledge/search/": page(200, 200, 200, 200, query="q=合并"),
    "knowledge/search/compare/": page(200, 200, 200, 200, query="q=合并&b_legs=words"),
    "knowledge/search/golden": page(
        302,
        302,
        302,
        404,
        method="POST",
        form={"collection": "{collection_id}", "q": "Is it?", "expects": "nothing"},
    ),
    "conversations/filters": page(200, 200, 200, 200),
    f"{PAGES}/": page(200, 200, 200, 404),
    f"{PAGES}/documents": page(200, 200, 200, 404),
    f"{PAGES}/progress": page(200, 200, 200, 404),
    f"{PAGES}/upload": page(202, 202, 404, 404, method="POST", form=upload()),
    f"{PAGES}/access/": page(200, 404, 404, 404),
    f"{PAGES}/access/<uuid:grant_id>/revoke": page(302, 404, 404, 404, method="POST"),
    f"{PAGES}/view-as/": [
        *page(200, 404, 404, 404),
        *page(200, 404, 404, 404, query="as={user_id}&q=merger"),
        *page(404, 404, 404, 404, query="as={team_id}"),
    ],
    f"{PAGES}/bulk": page(
        302, 302, 404, 404, method="POST", form={"action": "reindex", "document": "{document_id}"}
    ),
    f"{PAGES}/matching": [
        *page(200, 200, 404, 404),
        *page(200, 200, 404, 404, method="POST", form={"action": "reindex"}),
    ],
    f"{PAGES}/matching/<uuid:job_id>": [
        *page(404, 404, 404, 404),
        *page(404, 404, 404, 404, method="POST", form={"act": "undo"}),
    ],
    f"{PAGES}/settings/": [
        *page(200, 200, 404, 404),
        *page(302, 302, 404, 404, method="POST", form={"name": "New", "description": ""}),
    ],
    f"{PAGES}/quality/": page(200, 200, 200, 404),
    f"{PAGES}/quality/ask": page(302, 302, 404, 404, method="POST"),
    f"{PAGES}/quality/plan": page(302, 302, 404, 404, method="POST"),
    f"{PAGES}/quality/runs/<uuid:quality_run_id>/": page(200, 200, 200, 404),
    f"{PAGES}/quality/questions/": page(200, 200, 200, 404),
    f"{PAGES}/quality/questions/new/": page(200, 200, 404, 404),
    f"{PAGES}/quality/questions/import/": page(200, 200, 404, 404),
    f"{PAGES}/quality/questions/propose": page(302, 302, 404, 404, method="POST"),
    f"{PAGES}/quality/tuning/": page(200, 200, 404, 404),
    f"{PAGES}/quality/tuning/start": page(302, 302, 404, 404, method="POST"),
    f"{PAGES}/quality/answers/": page(200, 200, 200, 404),
    f"{PAGES}/quality/answers/new/": page(200, 200, 404, 404),
    "knowledge/golden/<uuid:golden_id>/": page(200, 200, 404, 404),
    "knowledge/golden/<uuid:golden_id>/review": page(302, 302, 404, 404, method="POST"),
    "knowledge/tunings/<uuid:tuning_id>/decide": page(302, 302, 404, 404, method="POST"),
    "knowledge/approved/<uuid:approved_id>/": page(200, 200, 404, 404),
    "knowledge/approved/<uuid:approved_id>/withdraw": page(302, 302, 404, 404, method="POST"),
    f"{PAGES}/understanding/": page(200, 200, 404, 404),
    f"{PAGES}/understanding/switches": page(302, 302, 404, 404, method="POST"),
    f"{PAGES}/glossary": page(302, 302, 404, 404, method="POST", form={"terms": "a b, c d"}),
    f"{PAGES}/glossary/import": page(302, 302, 404, 404, method="POST", form=upload()),
    f"{PAGES}/glossary.csv": page(200, 200, 404, 404),
    "knowledge/glossary/<uuid:entry_id>": page(302, 302, 404, 404, method="POST"),
    f"{PAGES}/delete": page(302, 404, 404, 404, method="POST", form={"name": "Board"}),
    f"{PAGES}/sources/": page(200, 200, 404, 404),
    f"{PAGES}/sources/new/<slug:kind>/": [
        *page(200, 200, 404, 404),
        *page(302, 302, 404, 404, method="POST", form={"name": "Bot", "grace_days": "0"}),
    ],
    f"{PLACE}/": page(200, 200, 404, 404),
    f"{PLACE}/progress": page(200, 200, 404, 404),
    f"{PLACE}/settings/": [
        *page(200, 200, 404, 404),
        *page(302, 302, 404, 404, method="POST", form={"name": "Bot", "grace_days": "0"}),
    ],
    f"{PLACE}/act": page(302, 302, 404, 404, method="POST", form={"action": "pause"}),
    f"{PLACE}/delete": page(302, 302, 404, 404, method="POST", form={"documents": "keep"}),
    f"{PAPER}/": page(200, 200, 200, 404),
    f"{PAPER}/passages": page(200, 200, 200, 404),
    f"{PAPER}/places": page(200, 200, 200, 404, query="at=0-9"),
    f"{PAPER}/curation/": page(200, 200, 404, 404),
    f"{PAPER}/edit": page(
        204, 204, 404, 404, method="POST", form={"kind": "add", "text": "A passage."}
    ),
    "knowledge/edits/<uuid:edit_id>/undo": page(204, 204, 404, 404, method="POST"),
    f"{PAPER}/access/": page(200, 404, 404, 404),
    f"{PAPER}/access/restrict": page(302, 404, 404, 404, method="POST"),
    f"{PAPER}/access/<uuid:grant_id>/revoke": page(404, 404, 404, 404, method="POST"),
    "knowledge/shared/": page(200, 200, 200, 200),
    f"{PAPER}/versions/": page(200, 200, 200, 404),
    f"{PAPER}/versions/upload": page(202, 202, 404, 404, method="POST", form=upload()),
    f"{PAPER}/versions/<int:number>/": page(302, 302, 302, 404),
    f"{PAPER}/versions/<int:number>/restore": page(302, 302, 404, 404, method="POST"),
    f"{PAPER}/order": page(302, 302, 404, 404, method="POST", form={"order": "first"}),
    f"{PAGES}/canary": page(302, 302, 404, 404, method="POST"),
    f"{PAGES}/order": page(
        302, 302, 404, 404, method="POST", form={"order": "first", "document": "{document_id}"}
    ),
    f"{PAPER}/status": page(200, 200, 200, 404),
    f"{PAPER}/preview": page(200, 200, 200, 404),
    f"{PAPER}/reindex": page(302, 302, 404, 404, method="POST"),
    f"{PAPER}/delete": page(302, 302, 404, 404, method="POST"),
    "settings/": [
        *page(200, 200, 200, 200),
        *page(302, 302, 302, 302, method="POST", form={"name": "N", "theme": "dark"}),
    ],
    "settings/picture": page(302, 302, 302, 302, method="POST"),
    "settings/picture/remove": page(302, 302, 302, 302, method="POST"),
    "settings/people/<uuid:user_id>/picture": page(404, 404, 404, 404),
    "settings/tokens/": page(200, 200, 200, 200),
    "settings/tokens/new": page(200, 200, 200, 200, method="POST", form={"name": "t", "days": 30}),
    "settings/tokens/<uuid:token_id>/revoke": page(200, 404, 404, 404, method="POST"),
    "settings/chat/": [
        *page(200, 200, 200, 200),
        *page(302, 302, 302, 302, method="POST", form={"marks_unsupported": "on"}),
    ],
    "settings/approvals/": page(200, 200, 200, 200),
    "settings/approvals/<uuid:approval_id>": page(200, 404, 404, 404),
    "settings/approvals/<uuid:approval_id>/decide": page(
        200, 404, 404, 404, method="POST", form={"answer": "approve", "digest": "0" * 64}
    ),
    "settings/approvals/permissions/<uuid:permission_id>/revoke": page(
        302, 404, 404, 404, method="POST"
    ),
    "settings/connections/": page(200, 200, 200, 200),
    "settings/connections/back": page(302, 302, 302, 302),
    "settings/connections/<uuid:server_id>/connect": page(302, 404, 404, 404, method="POST"),
    "settings/connections/<uuid:server_id>/disconnect": page(302, 404, 404, 404, method="POST"),
    "settings/memory/": page(200, 200, 200, 200),
    "settings/memory/mode": page(302, 302, 302, 302, method="POST", form={"mode": "asked"}),
    "settings/memory/new": page(302, 302, 302, 302, method="POST", form={"text": "I like tea"}),
    "settings/memory/shown": page(200, 200, 200, 200, query="id={memory_id}"),
    "settings/memory/forget": page(302, 302, 302, 302, method="POST"),
    "settings/memory/<uuid:memory_id>": page(
        302, 404, 404, 404, method="POST", form={"text": "I like coffee"}
    ),
    "settings/memory/<uuid:memory_id>/forget": page(302, 404, 404, 404, method="POST"),
    "settings/proof/": page(200, 200, 200, 200),
    "settings/proof/everyone/": page(404, 404, 404, 404),
    "settings/usage/": page(200, 200, 200, 200),
    "settings/usage/caches/": page(404, 404, 404, 404),
    "settings/usage/caches/flush": page(
        404, 404, 404, 404, method="POST", form={"cache": "vectors"}
    ),
    "settings/usage/everyone/": page(404, 404, 404, 404),
    "settings/usage/teams/<uuid:team_id>/": page(200, 404, 404, 404),
    "settings/teams/": page(200, 200, 200, 200),
    "settings/teams/<uuid:team_id>/members": page(
        200, 404, 404, 404, method="POST", form={"email": "nobody@example.org", "role": "member"}
    ),
    "settings/teams/<uuid:team_id>/members/<uuid:user_id>": page(
        404, 404, 404, 404, method="POST", form={"role": "member"}
    ),
    "c/<uuid:conversation_id>/visits": page(
        404, 404, 404, 404, method="POST", form={"visit": "{message_id}"}
    ),
    "why/<uuid:message_id>/golden": page(
        302, 302, 302, 404, method="POST", form={"collection": "{collection_id}"}
    ),
    "why/<uuid:message_id>": page(200, 200, 200, 404),
    "c/<uuid:conversation_id>/sharing": page(200, 404, 404, 404),
    "c/<uuid:conversation_id>/sharing/people": page(
        200, 404, 404, 404, method="POST", form={"email": "mate@example.org", "role": "reader"}
    ),
    "c/<uuid:conversation_id>/sharing/people/<uuid:access_id>/remove": page(
        200, 404, 404, 404, method="POST"
    ),
    "c/<uuid:conversation_id>/sharing/links": page(200, 404, 404, 404, method="POST"),
    "links/<uuid:link_id>/update": page(200, 404, 404, 404, method="POST"),
    "links/<uuid:link_id>/revoke": page(200, 404, 404, 404, method="POST"),
    "settings/links/": page(200, 200, 200, 200),
    "settings/import/": [
        *page(200, 200, 200, 200),
        *page(302, 302, 302, 302, method="POST", form=upload()),
    ],
    "settings/import/list": page(200, 200, 200, 200),
    "settings/import/<uuid:import_id>/start": page(200, 404, 404, 404, method="POST"),
    "settings/import/<uuid:import_id>/discard": page(200, 404, 404, 404, method="POST"),
    "s/<str:token>": page(404, 404, 404, 404),
    "s/<str:token>/continue": page(404, 404, 404, 404, method="POST"),
    "settings/sessions/": page(200, 200, 200, 200),
    "settings/sessions/end": page(200, 200, 200, 200, method="POST"),
    "settings/sessions/<uuid:device_id>/end": page(200, 404, 404, 404, method="POST"),
    "settings/data/": page(200, 200, 200, 200),
    "settings/data/exports": page(200, 200, 200, 200),
    "settings/data/exports/new": page(302, 302, 302, 302, method="POST"),
    "settings/data/exports/<uuid:takeout_id>/delete": page(302, 404, 404, 404, method="POST"),
    "settings/data/leave": [
        *page(200, 200, 200, 200),
        *page(200, 200, 200, 200, method="POST", form={"password": "not this one"}),
    ],
    "settings/data/keep": page(302, 302, 302, 302, method="POST"),
    "settings/language": open_to_all(302, method="POST", form={"language": "en"}),
    "manifest/<slug:language>.webmanifest": open_to_all(200),
    "service-worker.js": open_to_all(200),
    "offline/<slug:language>": open_to_all(200),
    "csp-report": open_to_all(204, method="POST"),
    "health": open_to_all(200),
    "ready": open_to_all(503),
    "metrics": open_to_all(200),
}
DOOR = {
    "accounts/login/": [
        *door(302, 200),
        *door(302, 200, method="POST", form={"login": "owner@example.org", "password": "x"}),
    ],
    "accounts/signup/": door(302, 200),
    "accounts/logout/": [*door(200, 302), *door(302, 302, method="POST")],
    "accounts/inactive/": open_to_all(200),
    "accounts/password/change/": door(200, 302),
    "accounts/password/set/": door(302, 302),
    "accounts/password/reset/": [
        *open_to_all(200),
        *open_to_all(302, method="POST", form={"email": "owner@example.org"}),
    ],
    "accounts/password/reset/done/": open_to_all(200),
    "accounts/password/reset/key/done/": open_to_all(200),
    r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": open_to_all(200),
}
SOCKET = {"WS ws/": door(101, 403)}
ADMIN_LOGIN = {"admin/login/": door(403, 302)}
ROWS = API | V1 | PAGE | DOOR | SOCKET | ADMIN_LOGIN


def rows_of(route: str) -> list[Row] | None:
    """The rows of a route; nobody of the cast may see any page of the admin."""
    if route in ROWS:
        return ROWS[route]
    return open_to_all(302) if route.startswith("admin/") else None
