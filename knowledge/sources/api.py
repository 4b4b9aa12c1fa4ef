from typing import Any
from uuid import UUID

from django.http import HttpRequest
from ninja import File, Form, Query, Router, Status, UploadedFile

from accounts.access import require_editable
from accounts.callers import READ, WRITE, caller
from accounts.limits import spend_for
from knowledge.models import Collection
from knowledge.sources import pushing, selectors, services
from knowledge.sources.schemas import (
    DeleteQuery,
    ItemForm,
    ItemName,
    ItemOut,
    ItemPut,
    ItemQuery,
    RunOut,
    SourceIn,
    SourceOut,
    SourcePatch,
    SyncIn,
)
from security.paging import paginate
from security.rate_limits import Action
from security.reading import reading_as
from security.schemas import PageOf, PageQuery

router = Router(tags=["Sources"])
ONE = "/sources/{uuid:source_id}"


@router.get(
    "/collections/{uuid:collection_id}/sources", response=list[SourceOut], auth=READ,
    summary="List the sources of a collection", operation_id="list_sources",
)  # fmt: skip
def list_sources(request: HttpRequest, collection_id: UUID) -> Any:
    """What it is kept in step with. Needs the role editor."""
    user = caller(request)
    require_editable(Collection.objects, user, collection_id)
    return selectors.list_cards(user, collection_id)


@router.post(
    "/collections/{uuid:collection_id}/sources", response={201: SourceOut}, auth=WRITE,
    summary="Add a source", operation_id="create_source",
)  # fmt: skip
def create_source(request: HttpRequest, collection_id: UUID, body: SourceIn) -> Any:
    """Nothing is fetched before the first `sync`; `preview` says what it would bring. Needs the
    role editor; what is on the server's own disk is for administrators."""
    user = caller(request)
    collection = require_editable(Collection.objects, user, collection_id)
    made = services.create_source(
        user, collection, body.kind, body.name, body.settings,
        secret=body.secret, schedule=body.schedule, grace_days=body.grace_days,
    )  # fmt: skip
    return Status(201, selectors.find_source(user, made.pk))


@router.get(ONE, response=SourceOut, auth=READ, summary="Read a source", operation_id="get_source")
def get_source(request: HttpRequest, source_id: UUID) -> Any:
    return selectors.find_source(caller(request), source_id)


@router.patch(
    ONE, response=SourceOut, auth=WRITE, summary="Change a source", operation_id="update_source"
)
def update_source(request: HttpRequest, source_id: UUID, body: SourcePatch) -> Any:
    """Its secret is forgotten when its address changes to another server and no secret comes
    along."""
    user = caller(request)
    source = selectors.find_source(user, source_id)
    services.update_source(user, source, **body.dict())
    return selectors.find_source(user, source_id)


@router.delete(
    ONE, response={204: None}, auth=WRITE, summary="Delete a source", operation_id="delete_source"
)
def delete_source(request: HttpRequest, source_id: UUID, query: Query[DeleteQuery]) -> Any:
    source = selectors.find_source(caller(request), source_id)
    services.delete_source(source, keeps_documents=query.documents == "keep")
    return Status(204, None)


@router.post(
    f"{ONE}/preview", response={202: RunOut}, auth=WRITE, summary="Preview a source",
    operation_id="preview_source",
)  # fmt: skip
def preview_source(request: HttpRequest, source_id: UUID) -> Any:
    """How many items there are, which, and which would be refused; nothing is stored."""
    user = caller(request)
    source = selectors.find_source(user, source_id)
    spend_for(request, Action.SYNCS)
    return Status(202, services.start_sync(source, user, is_preview=True))


@router.post(
    f"{ONE}/sync", response={202: RunOut}, auth=WRITE, summary="Sync a source",
    operation_id="sync_source",
)  # fmt: skip
def sync_source(request: HttpRequest, source_id: UUID, body: SyncIn) -> Any:
    """In the background; the answer is the visit under way, if there is one."""
    user = caller(request)
    source = selectors.find_source(user, source_id)
    spend_for(request, Action.SYNCS)
    run = services.start_sync(source, user, is_full=body.is_full, with_deleted=body.with_deleted)
    return Status(202, run)


@router.post(
    f"{ONE}/pause", response=SourceOut, auth=WRITE, summary="Pause a source",
    operation_id="pause_source",
)  # fmt: skip
def pause_source(request: HttpRequest, source_id: UUID) -> Any:
    """A visit under way stops where it is and goes on after `resume`."""
    user = caller(request)
    services.pause(selectors.find_source(user, source_id))
    return selectors.find_source(user, source_id)


@router.post(
    f"{ONE}/resume", response=SourceOut, auth=WRITE, summary="Resume a source",
    operation_id="resume_source",
)  # fmt: skip
def resume_source(request: HttpRequest, source_id: UUID) -> Any:
    user = caller(request)
    services.resume(selectors.find_source(user, source_id))
    return selectors.find_source(user, source_id)


@router.post(
    f"{ONE}/cancel", response={204: None}, auth=WRITE, summary="Cancel a sync",
    operation_id="cancel_sync",
)  # fmt: skip
def cancel_sync(request: HttpRequest, source_id: UUID) -> Any:
    """What it brought stays."""
    services.cancel(selectors.find_source(caller(request), source_id))
    return Status(204, None)


@router.get(
    f"{ONE}/runs", response=PageOf[RunOut], auth=READ, summary="List the syncs of a source",
    operation_id="list_syncs",
)  # fmt: skip
def list_syncs(request: HttpRequest, source_id: UUID, page: Query[PageQuery]) -> Any:
    """Newest first, with what each brought."""
    user = caller(request)
    selectors.find_source(user, source_id)
    with reading_as(user):
        return paginate(selectors.list_runs(user, source_id), ["-id"], page.cursor, page.limit)


@router.get(
    f"{ONE}/items", response=PageOf[ItemOut], auth=READ, summary="List the items of a source",
    operation_id="list_items",
)  # fmt: skip
def list_items(request: HttpRequest, source_id: UUID, page: Query[ItemQuery]) -> Any:
    """What became of each item, and why."""
    user = caller(request)
    selectors.find_source(user, source_id)
    rows = selectors.list_items(user, source_id, page.state)
    with reading_as(user):
        return paginate(rows, ["id"], page.cursor, page.limit)


@router.post(
    f"{ONE}/items", response=ItemPut, auth=WRITE, summary="Push an item", operation_id="put_item"
)
def put_item(
    request: HttpRequest, source_id: UUID, form: Form[ItemForm], file: File[UploadedFile]
) -> Any:
    """To a source of the kind `api`, as multipart: its own name of yours, and its file. The same
    name again is a new version, the same bytes again change nothing."""
    spend_for(request, Action.UPLOADS)
    source = selectors.find_source(caller(request), source_id)
    document, outcome = pushing.put(
        source, form.external_id, file, file.name or "", title=form.title, address=form.address,
        declared=file.content_type or "",
    )  # fmt: skip
    return {"outcome": outcome, "document_id": document.pk, "status": document.status}


@router.delete(
    f"{ONE}/items", response={204: None}, auth=WRITE, summary="Take an item away",
    operation_id="delete_item",
)  # fmt: skip
def delete_item(request: HttpRequest, source_id: UUID, query: Query[ItemName]) -> Any:
    """By your name of it; one that is not there is no error. A person's own upload of the same
    bytes stays."""
    source = selectors.find_source(caller(request), source_id)
    pushing.take_away(source, query.external_id)
    return Status(204, None)
