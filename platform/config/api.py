"""The JSON API: one NinjaAPI, one router an app."""

from functools import cached_property
from typing import Any

import orjson
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from ninja.renderers import BaseRenderer

from accounts.api import router as accounts
from accounts.budgets.api import router as budgets
from accounts.devices_api import router as devices
from accounts.my_data_api import router as my_data
from accounts.portraits_api import router as portraits
from accounts.teams_api import router as teams
from agents.api import router as agents
from agents.approvals.api import router as approvals
from agents.building.api import router as building
from agents.building.sharing_api import router as agent_sharing
from agents.mcp_client.api import router as mcp_servers
from agents.mcp_client.oauth.api import router as connections
from agents.memory.api import router as memory
from agents.models_api import router as models
from agents.saved_prompts_api import router as saved_prompts
from agents.usage.api import router as usage
from agents.usage.cache_api import router as caches
from chat.answers.api import router as answers
from chat.answers.golden_api import router as golden
from chat.api import router as chat
from chat.attachments.api import router as attachments
from chat.exports.api import router as exports
from chat.imports.api import router as imports
from chat.proof.api import router as proof
from chat.search.api import router as chat_search
from chat.search.jump_api import router as jump
from chat.sharing.api import router as sharing
from chat.sidebar.api import router as folders
from chat.turns.calls_api import router as tool_calls
from chat.turns.notes_api import router as notes
from chat.why.api import router as why
from config import openapi, problems
from knowledge.api import router as knowledge
from knowledge.curation.api import router as curation
from knowledge.document_access.api import router as document_access
from knowledge.document_versions.api import router as versions
from knowledge.embeddings.api import router as embeddings
from knowledge.enrichment.api import router as enrichment
from knowledge.glossary.api import router as glossary
from knowledge.matching.api import router as matching
from knowledge.quality.api import router as quality
from knowledge.sources.api import router as sources

DESCRIPTION = """
Ask your documents, manage them, and follow answers as they are written.

**Sign in** with `Authorization: Bearer par_…` (make a token in Settings or with
`python manage.py token EMAIL`); cookies are ignored then. A signed-in browser session works too and
must send `X-CSRFToken` when it writes.

**Lists** answer `{"items": [...], "next": cursor}`; send `?cursor=` to go on, until `next` is null.

**Errors** are `application/problem+json` (RFC 9457). Their `type` is stable, their `detail` says
what to do. What you may not see looks exactly like what does not exist: 404.
"""


class JsonParser(Parser):
    """Strict: JSON bodies say that they are JSON, file uploads that they are multipart."""

    def parse_body(self, request: HttpRequest) -> Any:
        if getattr(request, "content_type", None) != "application/json":
            raise problems.UnsupportedMediaType(_("Send the body as application/json."))
        return orjson.loads(request.body)

    def parse_querydict(
        self, data: MultiValueDict[str, Any], list_fields: list[str], request: HttpRequest
    ) -> dict[str, Any]:
        if data is request.FILES and request.content_type != "multipart/form-data":
            raise problems.UnsupportedMediaType(_("Send the file as multipart/form-data."))
        return super().parse_querydict(data, list_fields, request)


class JsonRenderer(BaseRenderer):
    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> bytes:
        return orjson.dumps(data, option=orjson.OPT_UTC_Z)


class ParleyAPI(NinjaAPI):
    def get_openapi_schema(self, **_options: Any) -> OpenAPISchema:
        """The same for everybody, and made once: that takes a fifth of a second, and anybody may
        ask for it."""
        return self._document

    @cached_property
    def _document(self) -> OpenAPISchema:
        return openapi.complete(super().get_openapi_schema())

    def set_default_exception_handlers(self) -> None:
        self.add_exception_handler(Exception, problems.answer)  # type: ignore[arg-type]


api = ParleyAPI(
    title="Parley",
    version="1",
    urls_namespace="api",
    description=DESCRIPTION,
    parser=JsonParser(),
    renderer=JsonRenderer(),
    openapi_extra={
        "tags": [
            {"name": "Account", "description": "Who is calling."},
            {"name": "Teams", "description": "Who belongs together; owners add and remove."},
            {"name": "Usage", "description": "What was used of models, and what it cost."},
            {"name": "Budgets", "description": "How much may be used, and what is left of it."},
            {"name": "My data", "description": "Taking all of it away, and leaving."},
            {"name": "Collections", "description": "Documents searched and shared together."},
            {"name": "Documents", "description": "Files, their passages and their indexing."},
            {"name": "Passages", "description": "Edited by those who look after a document."},
            {"name": "Search", "description": "Passages that answer a question, and why."},
            {"name": "Search index", "description": "The vectors that passages are found by."},
            {"name": "Enrichment", "description": "What a model writes to find documents by."},
            {"name": "Glossaries", "description": "Words for one thing, by collection."},
            {"name": "Quality", "description": "Golden questions: does search find what it must?"},
            {"name": "Sources", "description": "What collections are kept in step with."},
            {"name": "Agents", "description": "Instructions, a model and knowledge by one name."},
            {"name": "Approvals", "description": "Calls of tools that wait for your word."},
            {"name": "MCP servers", "description": "Tools of others, and accounts there."},
            {"name": "Memory", "description": "What the assistant remembers about you."},
            {"name": "Saved prompts", "description": "Words that you ask with again and again."},
            {"name": "Conversations", "description": "Questions and answers as a tree."},
            {"name": "Messages", "description": "What people think of answers and choose."},
            {"name": "Attachments", "description": "Files and images that questions carry."},
            {"name": "Sharing", "description": "Links to conversations, and who has access."},
            {"name": "Imports", "description": "Conversations brought from elsewhere."},
            {"name": "Folders", "description": "Where you keep conversations together."},
            {"name": "Turns", "description": "A question on its way to an answer."},
            {"name": "Jobs", "description": "Background work, followed and cancelled."},
        ]
    },
)
api.add_router("", accounts)
api.add_router("", budgets)
api.add_router("", devices)
api.add_router("", teams)
api.add_router("", my_data)
api.add_router("", portraits)
api.add_router("", knowledge)
api.add_router("", matching)
api.add_router("", sources)
api.add_router("", curation)
api.add_router("", glossary)
api.add_router("", document_access)
api.add_router("", versions)
api.add_router("", embeddings)
api.add_router("", enrichment)
api.add_router("", quality)
api.add_router("", golden)
api.add_router("", building)  # before agents: its addresses are longer
api.add_router("", agent_sharing)
api.add_router("", agents)
api.add_router("", approvals)
api.add_router("", mcp_servers)
api.add_router("", connections)
api.add_router("", memory)
api.add_router("", models)
api.add_router("", usage)
api.add_router("", caches)
api.add_router("", saved_prompts)
api.add_router("", chat)
api.add_router("", attachments)
api.add_router("", answers)
api.add_router("", folders)
api.add_router("", why)
api.add_router("", tool_calls)
api.add_router("", notes)
api.add_router("", proof)
api.add_router("", chat_search)
api.add_router("", jump)
api.add_router("", exports)
api.add_router("", sharing)
api.add_router("", imports)
