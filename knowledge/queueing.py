"""Which documents are to be indexed: the row of a document says it, a job does it."""

from uuid import UUID

from django.db import transaction

from events import jobs
from knowledge.ingestion.steps import steps_of
from knowledge.models import Collection, Document, DocumentVersion, Source, Stage

INGEST = "knowledge.jobs.ingest_document"
WORKING = (Document.Status.QUEUED, Document.Status.RUNNING)


def queue_document(
    document: Document, *, is_forced: bool = False, even_paused: bool = False
) -> None:
    """A job and fresh stages for the document, in the caller's transaction.

    In a collection that is paused it waits without a job, until somebody lets it go on (unless
    that is what they do now, `even_paused`). What is not `is_forced` leaves steps out whose outcome
    would be the same.
    """
    if document.collection.paused_at is not None and not even_paused:
        _hold(document)
    else:
        owner_id = document.added_by_id or document.collection.owner_id
        arguments = {"document_id": str(document.pk), "is_forced": is_forced}
        job = jobs.enqueue(INGEST, arguments, owner_id, document.pk)
        _set(document, Document.Status.QUEUED, job.pk)
    _renew_stages(document)


def _hold(document: Document) -> None:
    _set(document, Document.Status.PAUSED, None)


def _set(document: Document, status: Document.Status, job_id: UUID | None) -> None:
    facts = {"status": status, "reason": "", "job_id": job_id}
    Document.objects.filter(pk=document.pk).update(**facts)
    document.status, document.reason, document.job_id = status, "", job_id


def _renew_stages(document: Document) -> None:
    """None of them is begun; what the last ones were made of is still known."""
    made = {}
    if document.version:
        done = document.stages.filter(status=Stage.Status.DONE)
        made = {row.name: (row.input_hash, row.step_version) for row in done}
    Stage.objects.filter(document=document).delete()
    rows = []
    for name in steps_of(document.collection):
        input_hash, step_version = made.get(name, ("", ""))
        rows.append(
            Stage(document=document, name=name, input_hash=input_hash, step_version=step_version)
        )
    Stage.objects.bulk_create(rows)


def reindex_document(document: Document, *, is_forced: bool = True) -> None:
    """Index again from what is stored; nothing happens while it is being indexed."""
    with transaction.atomic():
        locked = Document.objects.select_for_update().filter(pk=document.pk).first()
        if locked is None or locked.status in {*WORKING, Document.Status.PAUSED}:
            return
        queue_document(locked, is_forced=is_forced)
    document.refresh_from_db()


def retry_document(document: Document) -> None:
    """Index again after a failure; what was found before stays searchable meanwhile.

    A newer version that could not be taken in is tried again with it.
    """
    with transaction.atomic():
        locked = Document.objects.select_for_update().filter(pk=document.pk).first()
        if locked is None or locked.status in WORKING:
            return
        revive(locked)
        queue_document(locked, is_forced=True)
    document.refresh_from_db()


def index_again(document: Document) -> bool:
    """What people choose who want it anew: a newer version that had failed is tried again. False
    where it is in work."""
    with transaction.atomic():
        locked = Document.objects.select_for_update().filter(pk=document.pk).first()
        if locked is None or locked.status in {*WORKING, Document.Status.PAUSED}:
            return False
        revive(locked)
        queue_document(locked, is_forced=True)
    document.refresh_from_db()
    return True


def revive(document: Document) -> bool:
    """The newest version waits again, if it failed; the caller holds the lock."""
    versions = document.versions.order_by("-number")
    newest = versions.filter(number__gt=document.version_number).first()
    states = DocumentVersion.State
    if newest is None or newest.state != states.FAILED:
        return False
    versions.filter(pk=newest.pk).update(state=states.WAITING, reason="")
    return True


def upload_source(collection: Collection) -> Source:
    uploads = collection.sources.filter(kind=Source.Kind.UPLOAD).order_by("id")
    return uploads.first() or Source.objects.create(collection=collection, name="Uploads")


def cancel_indexing(job_id: UUID | None) -> None:
    if job_id is not None:
        jobs.request_cancel(job_id)
