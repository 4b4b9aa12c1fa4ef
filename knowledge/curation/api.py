from typing import Any
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.http import HttpRequest
from ninja import Query, Router, Status

from accounts.access import require_editable
from accounts.callers import READ, WRITE, caller
from knowledge.curation import editing
from knowledge.curation.listing import Curated, read_window
from knowledge.curation.requests import carry_out
from knowledge.curation.schemas import CuratedPage, CuratedQuery, EditIn, EditOut, EditQuery
from knowledge.models import Document, PassageEdit
from security.paging import paginate
from security.reading import reading_as
from security.schemas import PageOf

router = Router()


@router.get(
    "/documents/{uuid:document_id}/curation", response=CuratedPage, auth=READ,
    tags=["Passages"], summary="List passages to edit", operation_id="list_curated_passages",
)  # fmt: skip
def list_curated_passages(
    request: HttpRequest, document_id: UUID, page: Query[CuratedQuery]
) -> Any:
    """With their size in tokens, how often answers cite them, and who changed them. Needs the role
    editor."""
    user = caller(request)
    document = require_editable(Document.objects, user, document_id)
    window = read_window(user, document, page.first, page.limit)
    rows = [row for row in window.rows if isinstance(row, Curated)]
    return {"items": [_shown(row) for row in rows], "next": window.later}


@router.get(
    "/documents/{uuid:document_id}/edits", response=PageOf[EditOut], auth=READ,
    tags=["Passages"], summary="List edits of passages", operation_id="list_edits",
)  # fmt: skip
def list_edits(request: HttpRequest, document_id: UUID, page: Query[EditQuery]) -> Any:
    """Newest first. Needs the role editor."""
    user = caller(request)
    document = require_editable(Document.objects, user, document_id)
    rows = PassageEdit.objects.visible_to(user).filter(document=document)
    if page.state:
        rows = rows.filter(state=page.state)
    with reading_as(user):
        found = paginate(rows, ["-id"], page.cursor, page.limit)
    prefetch_related_objects(found.items, "made_by")  # people are not among what readers read
    return found


@router.post(
    "/documents/{uuid:document_id}/edits", response={201: EditOut}, auth=WRITE,
    tags=["Passages"], summary="Edit a passage", operation_id="edit_passage",
)  # fmt: skip
def edit_passage(request: HttpRequest, document_id: UUID, body: EditIn) -> Any:
    """Found by the next search, and made again whenever the document is indexed anew. 409 when the
    passage was changed meanwhile. Needs the role editor."""
    user = caller(request)
    document = require_editable(Document.objects, user, document_id)
    return Status(201, carry_out(user, document, body.to_asked()))


@router.delete(
    "/edits/{uuid:edit_id}", response={204: None}, auth=WRITE, tags=["Passages"],
    summary="Undo an edit", operation_id="undo_edit",
)  # fmt: skip
def undo_edit(request: HttpRequest, edit_id: UUID) -> Any:
    """As if it had not been made; twice is once. Needs the role editor."""
    user = caller(request)
    editing.undo(user, require_editable(PassageEdit.objects, user, edit_id))
    return Status(204, None)


def _shown(row: Curated) -> dict[str, Any]:
    chunk = row.chunk
    names = ("position", "text", "heading_path", "start", "end", "page", "context")
    return {
        "id": chunk.pk, "tokens": row.tokens, "is_long": row.is_long, "cited": row.cited,
        "edit": row.edit, **{name: getattr(chunk, name) for name in names},
    }  # fmt: skip
