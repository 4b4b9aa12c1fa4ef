"""Glossaries for programs."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import File, Query, Router, Status
from ninja.files import UploadedFile

from accounts.access import require_editable, require_visible
from accounts.callers import READ, WRITE, caller
from accounts.limits import spend_for
from knowledge.glossary import selectors, services, tables
from knowledge.glossary.schemas import EntryIn, EntryOut, EntryQuery, ImportedOut
from knowledge.models import Collection, GlossaryEntry
from security.paging import paginate
from security.rate_limits import Action
from security.reading import reading_as
from security.schemas import PageOf

router = Router(tags=["Glossaries"])
CSV = {
    "responses": {
        200: {
            "description": "A line for each entry, a cell for each word.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    }
}


@router.get(
    "/collections/{uuid:collection_id}/glossary", response=PageOf[EntryOut], auth=READ,
    summary="List a glossary", operation_id="list_glossary",
)  # fmt: skip
def list_glossary(request: HttpRequest, collection_id: UUID, page: Query[EntryQuery]) -> Any:
    """Words for one thing; a question with one of them is searched for with the others too. Newest
    first."""
    user = caller(request)
    collection = require_visible(Collection.objects, user, collection_id)
    with reading_as(user):
        rows = selectors.list_entries(user, collection, page.q)
        return paginate(rows, ["-id"], page.cursor, page.limit)


@router.post(
    "/collections/{uuid:collection_id}/glossary", response={201: EntryOut}, auth=WRITE,
    summary="Add to a glossary", operation_id="add_glossary_entry",
)  # fmt: skip
def add_glossary_entry(request: HttpRequest, collection_id: UUID, body: EntryIn) -> Any:
    """Takes the place of entries that have a word in common with it. Needs the role editor."""
    collection = require_editable(Collection.objects, caller(request), collection_id)
    return Status(201, services.put_entry(collection, body.terms))


@router.put(
    "/glossary/{uuid:entry_id}", response=EntryOut, auth=WRITE, summary="Change an entry",
    operation_id="change_glossary_entry",
)  # fmt: skip
def change_glossary_entry(request: HttpRequest, entry_id: UUID, body: EntryIn) -> Any:
    """Needs the role editor."""
    entry = require_editable(GlossaryEntry.objects, caller(request), entry_id)
    services.change_entry(entry, body.terms)
    return entry


@router.delete(
    "/glossary/{uuid:entry_id}", response={204: None}, auth=WRITE, summary="Delete an entry",
    operation_id="delete_glossary_entry",
)  # fmt: skip
def delete_glossary_entry(request: HttpRequest, entry_id: UUID) -> Any:
    """Needs the role editor."""
    require_editable(GlossaryEntry.objects, caller(request), entry_id).delete()
    return Status(204, None)


@router.post(
    "/collections/{uuid:collection_id}/glossary/import", response=ImportedOut, auth=WRITE,
    summary="Import a glossary", operation_id="import_glossary",
)  # fmt: skip
def import_glossary(request: HttpRequest, collection_id: UUID, file: File[UploadedFile]) -> Any:
    """CSV as multipart field `file`: a line is an entry, its cells are the words. Needs the role
    editor."""
    spend_for(request, Action.UPLOADS)
    collection = require_editable(Collection.objects, caller(request), collection_id)
    rows = tables.read_rows(file.read(tables.MOST_BYTES + 1))
    return services.import_entries(collection, rows)


@router.get(
    "/collections/{uuid:collection_id}/glossary.csv", auth=READ, openapi_extra=CSV,
    summary="Export a glossary", operation_id="export_glossary",
)  # fmt: skip
def export_glossary(request: HttpRequest, collection_id: UUID) -> HttpResponse:
    """As `import_glossary` takes it."""
    user = caller(request)
    collection = require_visible(Collection.objects, user, collection_id)
    with reading_as(user):
        lines = "".join(tables.write_rows(selectors.list_entries(user, collection)))
    return as_file(lines)


def as_file(lines: str) -> HttpResponse:
    response = HttpResponse("\ufeff" + lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="glossary.csv"'
    return response
