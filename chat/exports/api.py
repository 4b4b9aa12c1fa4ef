import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from ninja import Query, Router

from accounts.callers import READ_OR_CHAT, caller
from accounts.limits import spend_for
from chat import selectors
from chat.exports import documents as exports
from chat.exports.documents import file_name
from chat.models import Conversation
from security import audit
from security.acts import Act
from security.downloads import Download
from security.rate_limits import Action

router = Router()
TYPES = {"markdown": ("md", "text/markdown; charset=utf-8"), "json": ("json", "application/json")}


def _file(*types: str) -> dict[str, Any]:
    content = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in types}
    return {"responses": {200: {"description": "The file.", "content": content}}}


@router.get(
    "/conversations/export", auth=READ_OR_CHAT, tags=["Conversations"],
    summary="Export all conversations", operation_id="export_conversations",
    openapi_extra=_file("application/zip"),
)  # fmt: skip
def export_conversations(request: HttpRequest) -> Download:
    """A ZIP of all that you own: `conversations.jsonl`, one export a line, and `markdown/`."""
    spend_for(request, Action.EXPORTS)
    with tempfile.NamedTemporaryFile(suffix=".zip") as made:  # open still when its name is gone
        count = exports.write_everything(caller(request), Path(made.name))
        audit.record(Act.CONVERSATION_EXPORTED, conversations=count)
        return Download(Path(made.name), "parley-conversations.zip", "application/zip")


@router.get(
    "/conversations/{uuid:conversation_id}/export", auth=READ_OR_CHAT, tags=["Conversations"],
    summary="Export a conversation", operation_id="export_conversation",
    openapi_extra=_file("text/markdown", "application/json"),
)  # fmt: skip
def export_conversation(
    request: HttpRequest,
    conversation_id: UUID,
    form: Annotated[Literal["markdown", "json"], Query("json", alias="format")] = "json",
) -> HttpResponse:
    """`json`: every message of the tree, all versions, with citations. `markdown`: the path on
    show, to read."""
    spend_for(request, Action.SEARCHES)
    user = caller(request)
    title = selectors.find_conversation(user, conversation_id).title
    write = {"json": exports.as_json, "markdown": exports.as_markdown}[form]
    audit.record(Act.CONVERSATION_EXPORTED, Conversation(pk=conversation_id), title="")
    ending, media_type = TYPES[form]
    response = HttpResponse(write(user, conversation_id), content_type=media_type)
    name = file_name(title, conversation_id, ending)
    response["Content-Disposition"] = content_disposition_header(True, name)
    response["Cache-Control"] = "private, no-store"
    return response
