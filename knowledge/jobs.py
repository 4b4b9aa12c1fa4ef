"""Background work of this app, enqueued by dotted path."""

import logging
from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop as _

from events import jobs
from events.context import Cancelled, JobContext, JobFailed
from events.models import Job
from gateway.embedding.embedder import EmbedderUnavailable
from gateway.errors import BudgetExhausted, GatewayError
from knowledge import control, reweighing
from knowledge.embeddings import following
from knowledge.errors import DocumentGone, Superseded, VersionReplaced
from knowledge.extraction.reasons import ExtractionFailed
from knowledge.ingestion import ingest
from knowledge.models import Collection, Document, DocumentVersion, Stage
from knowledge.orders import Attended
from knowledge.queueing import WORKING, reindex_document

logger = logging.getLogger(__name__)

REWEIGH = "knowledge.jobs.reweigh_collection"
SWITCH = following.SWITCH
STOPPED = _("Indexing was stopped. Try again.")
CANCELLED = control.CANCELLED
BATCH = 200
EMBEDDER_CHANGED = _("The embedding model was changed meanwhile. Try again.")
EMBEDDER_FAILED = _("The embedding model did not answer. Try again, or ask the administrator.")


def settle_document(job: Job) -> None:
    """Let the document follow the job that ended without it: failed, for the same reason."""
    found = Document.objects.filter(job_id=job.pk)
    document = found.filter(pk=job.subject_id).first() if job.subject_id else None
    if document is not None:
        cancelled = job.status == Job.Status.CANCELLED
        fail_document(document, CANCELLED if cancelled else job.reason or STOPPED)


@jobs.settled_by(settle_document)
def ingest_document(context: JobContext, document_id: str, is_forced: bool = True) -> None:
    """Index one document. Run again after it has committed, it finds nothing left to do."""
    document = Document.objects.select_related("collection").filter(pk=document_id).first()
    if document is None or _is_done(document, context.job):
        return
    if document.job_id != context.job.pk:
        raise Cancelled  # the document was given to another job, or to none
    try:
        attended = Attended(context, document.pk)
        has_drifted = ingest(document, attended, is_forced=is_forced)
    except DocumentGone:
        return
    except Superseded as order:
        raise Cancelled from order
    except (ExtractionFailed, BudgetExhausted) as failure:
        raise JobFailed(str(failure)) from failure
    except (VersionReplaced, EmbedderUnavailable, GatewayError) as error:
        if context.attempt < context.job.max_attempts:
            raise
        logger.warning("document %s: %s: %s", document.pk, type(error).__name__, error)
        is_change = isinstance(error, VersionReplaced)
        raise JobFailed(EMBEDDER_CHANGED if is_change else EMBEDDER_FAILED) from error
    if has_drifted:
        _enqueue_reweighing(document)


def go_on_with_collection(context: JobContext, collection_id: str) -> None:
    """Queue what was put aside, in batches; what is put aside again meanwhile stays so."""
    _for_each(
        context,
        Document.objects.filter(collection=UUID(collection_id), status=Document.Status.PAUSED),
        lambda document: control.resume_document(document.pk),
    )


def refresh_collection(context: JobContext, collection_id: str, is_forced: bool) -> None:
    """Queue every document that is not in work; those that `is_forced` does not ask for leave out
    the steps whose outcome would be the same."""
    _for_each(
        context,
        Document.objects.filter(collection=UUID(collection_id)).exclude(status__in=WORKING),
        lambda document: reindex_document(document, is_forced=is_forced),
    )


def _for_each(
    context: JobContext, rows: "QuerySet[Document]", act: Callable[[Document], object]
) -> None:
    total, done, after = rows.count(), 0, UUID(int=0)
    while found := list(rows.filter(pk__gt=after).order_by("pk")[:BATCH]):
        for document in found:
            act(document)
        done, after = done + len(found), found[-1].pk
        context.progress("queue", done, max(total, done))


def reweigh_collection(context: JobContext, collection_id: str) -> None:
    """Weigh a collection's passages against today's average length, in one transaction."""
    try:
        done = reweighing.reweigh_collection(UUID(collection_id), context.check)
    except DocumentGone:
        return
    context.progress("load", done, done)


def switch_embedder(context: JobContext, model: str) -> None:
    """Fill vectors of another embedding model, then search by them."""
    following.switch_embedder(context, model)


def follow_default_embedder() -> int:
    """Start the switch when the gateway's default embedding model has changed; 1 if it did."""
    return following.follow_default()


def _is_done(document: Document, job: Job) -> bool:
    """Whether a worker died between the swap, which made the document ready, and the job's end."""
    return document.job_id == job.pk and document.status == Document.Status.READY


def fail_document(document: Document, reason: str) -> None:
    """Record the failure; a document that was searchable before keeps its old passages.

    Where a new version could not be taken in, that version has failed: the one that is searched
    is as ready as it was.
    """
    with transaction.atomic():
        waiting = Document.objects.filter(pk=document.pk, status__in=WORKING)
        locked = waiting.select_for_update().first()
        if locked is None:
            return
        states = DocumentVersion.State
        versions = locked.versions.filter(state=states.WAITING)
        failed = versions.update(state=states.FAILED, reason=reason)
        is_kept = failed and locked.version
        status = Document.Status.READY if is_kept else Document.Status.FAILED
        waiting.update(status=status, reason="" if is_kept else reason)
        _fail_stage(locked, reason)


def _fail_stage(document: Document, reason: str) -> None:
    """The step it stopped in says why; one that has failed by itself has said it already."""
    if document.stages.filter(status=Stage.Status.FAILED).exists():
        return
    unfinished = (Stage.Status.RUNNING, Stage.Status.WAITING)
    stage = document.stages.filter(status__in=unfinished).first()
    if stage is not None:
        Stage.objects.filter(pk=stage.pk).update(status=Stage.Status.FAILED, reason=reason)


def _enqueue_reweighing(document: Document) -> None:
    """At most one waits for a collection, and none for one that is being deleted."""
    collection_id = document.space_id
    with transaction.atomic():
        locked = Collection.parts_apart.select_for_update(no_key=True)  # whole ones too
        is_there = locked.filter(pk=collection_id).first() is not None
        waiting = Job.objects.filter(
            task=REWEIGH, subject_id=collection_id, status=Job.Status.QUEUED
        )
        if is_there and not waiting.exists():
            jobs.enqueue(REWEIGH, {"collection_id": str(collection_id)}, None, collection_id)
