from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from ninja import File, Query, Router, Status, UploadedFile

from accounts.access import require_all, require_editable, require_owned
from accounts.callers import READ, WRITE, caller
from accounts.limits import spend_for
from accounts.models import User
from accounts.payers import payer_by_token
from gateway.labels import clean_labels
from knowledge import bulk, canaries, discarding, retrieval, selectors, services, viewers
from knowledge.curation.documents import Wanted, add_twins, list_wanted
from knowledge.document_access.selectors import with_homes
from knowledge.models import Chunk, Collection, Document, Source
from knowledge.overview import described
from knowledge.quality import gate
from knowledge.schemas.collections import (
    AccessOut,
    CanaryIn,
    CanaryOut,
    CollectionIn,
    CollectionOut,
    CollectionPatch,
)
from knowledge.schemas.documents import (
    BulkIn,
    BulkOut,
    ChunkOut,
    DocumentAccepted,
    DocumentOut,
    DocumentQuery,
    PassageQuery,
    PassageTextOut,
)
from knowledge.schemas.searching import SearchAsIn, SearchIn, SearchOut, SeenOut, SeenQuery
from knowledge.storage import path_of
from knowledge.switches import said_after
from security import audit
from security.acts import Act
from security.downloads import Download, Image
from security.paging import paginate
from security.rate_limits import Action
from security.reading import reading_as
from security.schemas import PageOf, PageQuery

router = Router()
BINARY = {
    "responses": {
        200: {
            "description": "The file as it was uploaded, always as an attachment.",
            "content": {"application/octet-stream": {"schema": {"type": "string"}}},
        }
    }
}
PICTURE = {
    "responses": {
        200: {
            "description": "The picture.",
            "content": {
                kind: {"schema": {"type": "string"}} for kind in ("image/png", "image/jpeg")
            },
        }
    }
}


@router.get(
    "/collections", response=PageOf[CollectionOut], auth=READ, tags=["Collections"],
    summary="List collections", operation_id="list_collections",
)  # fmt: skip
def list_collections(request: HttpRequest, page: Query[PageQuery]) -> Any:
    """Collections you own or that are shared with you, newest first."""
    user = caller(request)
    with reading_as(user):
        found = paginate(selectors.list_collections(user), ["-id"], page.cursor, page.limit)
    return {"items": described(user, found.items), "next": found.next}


@router.post(
    "/collections", response={201: CollectionOut}, auth=WRITE, tags=["Collections"],
    summary="Make a collection", operation_id="create_collection",
)  # fmt: skip
def create_collection(request: HttpRequest, body: CollectionIn) -> Any:
    """A new collection of yours; nobody else sees it until you share it."""
    user = caller(request)
    made = services.create_collection(user, body.name, description=body.description)
    return Status(201, _one(user, made.pk))


@router.get(
    "/collections/{uuid:collection_id}", response=CollectionOut, auth=READ, tags=["Collections"],
    summary="Read a collection", operation_id="get_collection",
)  # fmt: skip
def get_collection(request: HttpRequest, collection_id: UUID) -> Any:
    return _one(caller(request), collection_id)


@router.patch(
    "/collections/{uuid:collection_id}", response=CollectionOut, auth=WRITE, tags=["Collections"],
    summary="Change a collection", operation_id="update_collection",
)  # fmt: skip
def update_collection(request: HttpRequest, collection_id: UUID, body: CollectionPatch) -> Any:
    """Needs the role editor, and to change `required_labels` the role owner. 409 `change-held`
    where a way of `understanding` that is switched on loses on the golden questions, or while
    these are being asked; `force` switches it on nevertheless, which stands in the audit log."""
    require = require_editable if body.required_labels is None else require_owned
    user = caller(request)
    collection = require(Collection.objects, user, collection_id)
    labels = body.required_labels
    if body.understanding:
        said = said_after(collection.understanding, body.understanding)
        gate.check_switches(collection, said, user, is_forced=body.force)
    services.update_collection(
        collection,
        name=body.name or collection.name,
        description=collection.description if body.description is None else body.description,
        labels=None if labels is None else clean_labels(labels),
        understanding=body.understanding,
    )
    return _one(user, collection_id)


@router.put(
    "/collections/{uuid:collection_id}/canary", response=CanaryOut, auth=WRITE,
    tags=["Collections"], summary="Alarm when it is copied", operation_id="plant_canary",
)  # fmt: skip
def plant_canary(request: HttpRequest, collection_id: UUID, body: CanaryIn) -> Any:
    """Needs the role editor. Models are shown a secret mark beside its passages; an answer or a
    call of a tool that holds it alarms the administrators."""
    user = caller(request)
    collection = require_editable(Collection.objects, user, collection_id)
    canaries.plant(collection, user, is_planted=body.is_planted)
    return CanaryOut(planted_at=collection.canary_at)


@router.get(
    "/collections/{uuid:collection_id}/viewers", response=AccessOut, auth=READ,
    tags=["Collections"], summary="List who can see a collection", operation_id="list_viewers",
)  # fmt: skip
def list_viewers(request: HttpRequest, collection_id: UUID) -> Any:
    """Active people with access and every reason why, strongest first. Needs the role owner."""
    return viewers.list_viewers(require_owned(Collection.objects, caller(request), collection_id))


@router.get(
    "/collections/{uuid:collection_id}/view-as", response=SeenOut, auth=READ,
    tags=["Collections"], summary="See a collection as somebody else", operation_id="view_as",
)  # fmt: skip
def view_as(request: HttpRequest, collection_id: UUID, page: Query[SeenQuery]) -> Any:
    """The documents that somebody else finds in it, by the same queries as theirs. Needs the role
    owner; each look is in the audit log."""
    owner = caller(request)
    collection = require_owned(Collection.objects, owner, collection_id)
    eyes = viewers.find_eyes(owner, page.as_, collection)
    rows = viewers.list_seen(eyes, owner, collection)
    with reading_as(eyes):
        documents = paginate(rows, ["-id"], page.cursor, page.limit)
    if page.cursor is None:
        viewers.record_look(eyes, collection)
    return {"role": viewers.role_of(eyes, collection), "documents": documents}


@router.post(
    "/collections/{uuid:collection_id}/search-as", response=SearchOut, auth=READ,
    tags=["Collections"], summary="Search a collection as somebody else",
    operation_id="search_as",
)  # fmt: skip
def search_as(request: HttpRequest, collection_id: UUID, body: SearchAsIn) -> Any:
    """What a question of theirs would find in it. Needs the role owner; it is in the audit log."""
    spend_for(request, Action.SEARCHES)
    owner = caller(request)
    collection = require_owned(Collection.objects, owner, collection_id)
    eyes = viewers.find_eyes(owner, body.as_, collection)
    found = viewers.search_as(eyes, owner, body.query, [collection.pk], body.limit)
    viewers.record_look(eyes, collection)
    return with_homes(owner, found)


@router.post(
    "/collections/{uuid:collection_id}/documents/bulk", response=BulkOut, auth=WRITE,
    tags=["Documents"], summary="Change several documents", operation_id="change_documents",
)  # fmt: skip
def change_documents(request: HttpRequest, collection_id: UUID, body: BulkIn) -> Any:
    """Does one thing to those that are the collection's. Needs the role editor; a move, in both
    collections."""
    user = caller(request)
    collection = require_editable(Collection.objects, user, collection_id)
    target = None
    if body.action is bulk.Action.MOVE:
        if body.target is None:
            raise Http404
        target = require_editable(Collection.objects, user, body.target)
    return {"documents": bulk.act(user, collection, body.action, body.documents, target)}


@router.delete(
    "/collections/{uuid:collection_id}", response={204: None}, auth=WRITE, tags=["Collections"],
    summary="Delete a collection", operation_id="delete_collection",
)  # fmt: skip
def delete_collection(request: HttpRequest, collection_id: UUID) -> Any:
    """With every document in it, for everyone. Needs the role owner."""
    services.delete_collection(require_owned(Collection.objects, caller(request), collection_id))
    return Status(204, None)


@router.post(
    "/collections/{uuid:collection_id}/documents", response={202: DocumentAccepted}, auth=WRITE,
    tags=["Documents"], summary="Upload a document", operation_id="upload_document",
)  # fmt: skip
def upload_document(request: HttpRequest, collection_id: UUID, file: File[UploadedFile]) -> Any:
    """PDF, DOCX, Markdown, HTML or text, as multipart field `file`. Needs the role editor.

    The answer comes before the document is indexed: follow its status, or its job's events. The
    same bytes again are the same document.
    """
    spend_for(request, Action.UPLOADS)
    user = caller(request)
    collection = require_editable(Collection.objects, user, collection_id)
    document, is_new = services.add_document(
        user, collection, file, file.name or "", declared=file.content_type or ""
    )
    return Status(202, {"id": document.pk, "status": document.status, "is_new": is_new})


@router.get(
    "/documents", response=PageOf[DocumentOut], auth=READ, tags=["Documents"],
    summary="List documents", operation_id="list_documents",
)  # fmt: skip
def list_documents(request: HttpRequest, page: Query[DocumentQuery]) -> Any:
    """Documents you may see, newest first, with the progress of their indexing."""
    names = ("list", "q", "status", "kind", "source", "age", "order")
    wanted = Wanted(**{name: getattr(page, name) for name in names})
    user = caller(request)
    found = list_wanted(user, page.collection, wanted, page.cursor, page.limit)
    if wanted.list == "duplicates" and page.collection is not None:
        add_twins(user, page.collection, found.items)
    return found


@router.get(
    "/documents/{uuid:document_id}", response=DocumentOut, auth=READ, tags=["Documents"],
    summary="Read a document's state", operation_id="get_document",
)  # fmt: skip
def get_document(request: HttpRequest, document_id: UUID) -> Any:
    """Its stages say how far indexing is, `reason` what went wrong."""
    return selectors.find_document(caller(request), document_id)


@router.delete(
    "/documents/{uuid:document_id}", response={204: None}, auth=WRITE, tags=["Documents"],
    summary="Delete a document", operation_id="delete_document",
)  # fmt: skip
def delete_document(request: HttpRequest, document_id: UUID) -> Any:
    """It is gone from the next search; it can be restored for ten minutes. Needs the role editor on
    its collection."""
    discarding.discard(require_editable(Document.objects, caller(request), document_id))
    return Status(204, None)


@router.post(
    "/documents/{uuid:document_id}/restore", response=DocumentOut, auth=WRITE, tags=["Documents"],
    summary="Undo a deletion", operation_id="restore_document",
)  # fmt: skip
def restore_document(request: HttpRequest, document_id: UUID) -> Any:
    """Within ten minutes; it is indexed again. One that was not deleted stays as it is, and if the
    same bytes are there again, that document is the answer. Needs the role editor."""
    user = caller(request)
    return selectors.find_document(user, discarding.restore(user, document_id).pk)


@router.post(
    "/documents/{uuid:document_id}/retry", response={202: DocumentAccepted}, auth=WRITE,
    tags=["Documents"], summary="Index a document again", operation_id="retry_document",
)  # fmt: skip
def retry_document(request: HttpRequest, document_id: UUID) -> Any:
    """Starts indexing again from the stored file. Needs the role editor on its collection."""
    document = require_editable(Document.objects, caller(request), document_id)
    services.retry_document(document)
    document.refresh_from_db()
    return Status(202, {"id": document.pk, "status": document.status, "is_new": False})


@router.get(
    "/documents/{uuid:document_id}/chunks", response=PageOf[ChunkOut], auth=READ,
    tags=["Documents"], summary="List a document's passages", operation_id="list_chunks",
)  # fmt: skip
def list_chunks(request: HttpRequest, document_id: UUID, page: Query[PageQuery]) -> Any:
    """In the order of the text. `start` and `end` point into the extracted text."""
    user = caller(request)
    document = selectors.find_document(user, document_id)
    rows = Chunk.objects.visible_to(user).filter(document=document).defer("terms", "bm25")
    with reading_as(user):
        return paginate(rows, ["position"], page.cursor, page.limit)


@router.get(
    "/documents/{uuid:document_id}/file", auth=READ, tags=["Documents"], openapi_extra=BINARY,
    summary="Download a document's file", operation_id="download_document",
)  # fmt: skip
def download_document(request: HttpRequest, document_id: UUID) -> Download:
    document = selectors.find_document(caller(request), document_id)
    audit.record(Act.FILE_DOWNLOADED, document, size=document.size)
    return Download(path_of(document.stored_id), document.file_name, document.media_type)


@router.get(
    "/documents/{uuid:document_id}/figures/{int:number}", auth=READ, tags=["Documents"],
    openapi_extra=PICTURE, summary="Show a picture inside a document",
    operation_id="show_figure",
)  # fmt: skip
def show_figure(
    request: HttpRequest, document_id: UUID, number: int, version: int | None = None
) -> HttpResponse:
    """Of a Word or HTML document that brings it along, counted from 1.

    Drawn anew from its pixels, at most 1536 wide and high. `version`: of one that was replaced.
    """
    drawn = selectors.find_figure(caller(request), document_id, number, version)
    return Image(drawn.data, drawn.media_type)


@router.get(
    "/documents/{uuid:document_id}/passage", response=PassageTextOut, auth=READ,
    tags=["Documents"], summary="Read a passage in its context", operation_id="get_passage",
)  # fmt: skip
def get_passage(request: HttpRequest, document_id: UUID, span: Query[PassageQuery]) -> Any:
    """The stored text that a citation points at, with its surroundings."""
    return selectors.find_passage_text(
        caller(request), document_id, span.start, span.end, span.around
    )


@router.post(
    "/search", response=SearchOut, auth=READ, tags=["Search"], summary="Search passages",
    operation_id="search",
)  # fmt: skip
def search(request: HttpRequest, body: SearchIn) -> Any:
    """Lexical and vector search, fused; only in what you may see. `ranks` explains each passage."""
    spend_for(request, Action.SEARCHES)
    user = caller(request)
    collections = selectors.require_collections(user, body.collections)
    require_all(Document.objects.visible_to(user), body.documents)
    require_all(Source.objects.editable_by(user), body.sources)
    found = retrieval.search(
        user,
        body.query,
        collections=collections,
        limit=body.limit,
        filters=body.filters,
        only_alike=body.only_alike,
        payer=payer_by_token(request, "embedding"),
    )
    return with_homes(user, found)


def _one(user: User, collection_id: UUID) -> Any:
    return described(user, [selectors.find_collection(user, collection_id)])[0]
