"""The versions of documents, and orders about indexing, for programs."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest
from ninja import File, Router, Status, UploadedFile

from accounts.access import require_editable
from accounts.callers import READ, WRITE, caller
from accounts.limits import spend_for
from knowledge import control, selectors
from knowledge.document_versions.history import find_text, find_version, list_versions
from knowledge.document_versions.putting import Put, put_document
from knowledge.document_versions.restoring import restore_version
from knowledge.document_versions.schemas import (
    DocumentVersionOut,
    DocumentVersionTextOut,
    IndexingOut,
    OrderedOut,
    OrderIn,
    PutOut,
)
from knowledge.job_card import find_card
from knowledge.models import Collection, Document, DocumentText
from knowledge.storage import path_of
from security import audit
from security.acts import Act
from security.downloads import Download
from security.rate_limits import Action
from security.reading import second_lock

router = Router()
BINARY = {
    "responses": {
        200: {
            "description": "The file as it was stored, always as an attachment.",
            "content": {"application/octet-stream": {"schema": {"type": "string"}}},
        }
    }
}


@router.get(
    "/documents/{uuid:document_id}/versions", response=list[DocumentVersionOut], auth=READ,
    tags=["Documents"], summary="List a document's versions", operation_id="list_versions",
)  # fmt: skip
def versions(request: HttpRequest, document_id: UUID) -> Any:
    """Those that are kept, the newest first; `current` is the one that is searched."""
    user = caller(request)
    return list_versions(user, selectors.find_document(user, document_id))


@router.post(
    "/documents/{uuid:document_id}/versions", response={202: PutOut}, auth=WRITE,
    tags=["Documents"], summary="Upload a new version", operation_id="upload_version",
)  # fmt: skip
def upload_version(request: HttpRequest, document_id: UUID, file: File[UploadedFile]) -> Any:
    """As multipart field `file`. Search sees the old version until the new one is ready; one that
    fails leaves it as it is. Needs the role editor."""
    spend_for(request, Action.UPLOADS)
    user = caller(request)
    document = require_editable(Document.objects, user, document_id)
    put = put_document(
        document.collection, file, file.name or "", document=document, user=user,
        declared=file.content_type or "",
    )  # fmt: skip
    return Status(202, _told(put))


@router.get(
    "/documents/{uuid:document_id}/versions/{int:number}/text", response=DocumentVersionTextOut,
    auth=READ, tags=["Documents"], summary="Read the text of a version",
    operation_id="get_version_text",
)  # fmt: skip
def get_version_text(request: HttpRequest, document_id: UUID, number: int) -> Any:
    """What the offsets of its citations point into."""
    user = caller(request)
    document = selectors.find_document(user, document_id)
    listed = find_version(user, document, number)
    if number == document.version_number:
        text = _current_text(user, document)
    else:
        found = find_text(user, document, number)
        text = found.text if found else None
    if text is None:
        raise Http404
    return {"number": number, "state": listed.state, "text": text}


@router.get(
    "/documents/{uuid:document_id}/versions/{int:number}/file", auth=READ, tags=["Documents"],
    openapi_extra=BINARY, summary="Download a version's file", operation_id="download_version",
)  # fmt: skip
def download_version(request: HttpRequest, document_id: UUID, number: int) -> Download:
    user = caller(request)
    document = selectors.find_document(user, document_id)
    listed = find_version(user, document, number)
    audit.record(Act.FILE_DOWNLOADED, document, size=listed.size, version=number)
    return Download(path_of(listed.stored_id), listed.file_name, listed.media_type)


@router.post(
    "/documents/{uuid:document_id}/versions/{int:number}/restore", response={202: PutOut},
    auth=WRITE, tags=["Documents"], summary="Restore a version", operation_id="restore_version",
)  # fmt: skip
def restore(request: HttpRequest, document_id: UUID, number: int) -> Any:
    """Its content becomes the next version; nothing is lost. Needs the role editor."""
    user = caller(request)
    document = require_editable(Document.objects, user, document_id)
    return Status(202, _told(restore_version(user, document, number)))


@router.get(
    "/collections/{uuid:collection_id}/indexing", response=IndexingOut, auth=READ,
    tags=["Collections"], summary="Follow the indexing of a collection",
    operation_id="get_indexing",
)  # fmt: skip
def get_indexing(request: HttpRequest, collection_id: UUID) -> Any:
    """How many documents wait, are in work, done, failed and paused; how fast it goes, how long it
    may still take, and what went wrong lately."""
    user = caller(request)
    return find_card(selectors.find_collection(user, collection_id), user)


@router.post(
    "/collections/{uuid:collection_id}/indexing", response={202: OrderedOut}, auth=WRITE,
    tags=["Collections"], summary="Pause, resume, stop, prefer or repeat indexing",
    operation_id="order_indexing",
)  # fmt: skip
def order_indexing(request: HttpRequest, collection_id: UUID, body: OrderIn) -> Any:
    """For the named documents, or for all of the collection. Needs the role editor."""
    collection = require_editable(Collection.objects, caller(request), collection_id)
    return Status(202, {"documents": control.give(collection, body.order, body.documents)})


@second_lock
def _current_text(user: Any, document: Document) -> str | None:
    rows = DocumentText.objects.filter(document__in=Document.objects.visible_to(user))
    return rows.filter(document=document.pk).values_list("text", flat=True).first()


def _told(put: Put) -> dict[str, Any]:
    document = put.document
    return {"id": document.pk, "outcome": put.outcome.value, "status": document.status}
