"""Orders about indexing: pause, go on, stop, first, anew; for some documents or a whole collection.

An order writes rows of documents, in one statement however many they are; the jobs obey (`orders`).
"""

from collections.abc import Iterable
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_noop as _
from django.utils.translation import ngettext

from events import jobs
from knowledge.models import Collection, Document, DocumentVersion
from knowledge.queueing import WORKING, queue_document, reindex_document

CANCELLED = _("Indexing was cancelled.")
GO_ON = "knowledge.jobs.go_on_with_collection"
REFRESH = "knowledge.jobs.refresh_collection"
AT_ONCE = 20  # documents that are queued before the answer to an order


class Order(StrEnum):
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    FIRST = "first"
    REFRESH = "refresh"  # what is out of date
    REBUILD = "rebuild"  # everything


def give(collection: Collection, order: Order, ids: Iterable[UUID] | None = None) -> int:
    """Carry an order out for those of the ids that are the collection's; None: for all of it.

    Returns how many documents it concerned. What takes long is done by a job.
    """
    rows: QuerySet[Document] = Document.objects.filter(collection=collection)
    if ids is not None:
        rows = rows.filter(pk__in=list(ids))
    match order:
        case Order.PAUSE:
            return _pause(collection, rows, is_whole=ids is None)
        case Order.RESUME:
            return _resume(collection, rows, is_whole=ids is None)
        case Order.CANCEL:
            return _cancel(collection, rows, is_whole=ids is None)
        case Order.FIRST:
            return _bring_forward(rows)
        case _:
            return _index_again(collection, rows, is_forced=order is Order.REBUILD)


def _pause(collection: Collection, rows: "QuerySet[Document]", *, is_whole: bool) -> int:
    with transaction.atomic():
        if is_whole:
            Collection.objects.filter(pk=collection.pk, paused_at=None).update(paused_at=Now())
        return _locked(rows.filter(status__in=WORKING)).update(
            status=Document.Status.PAUSED, job_id=None
        )


def _resume(collection: Collection, rows: "QuerySet[Document]", *, is_whole: bool) -> int:
    """What was put aside is queued again; when all of the collection was, by a job."""
    paused = rows.filter(status=Document.Status.PAUSED)
    if not is_whole:
        return sum(resume_document(pk) for pk in list(paused.values_list("pk", flat=True)))
    with transaction.atomic():
        Collection.objects.filter(pk=collection.pk).update(paused_at=None)
        count = paused.count()
        if count:
            arguments = {"collection_id": str(collection.pk)}
            jobs.enqueue(GO_ON, arguments, collection.owner_id, collection.pk)
    return count


def resume_document(document_id: UUID) -> bool:
    """Queue it, if it is still put aside; also in a collection that is paused as a whole."""
    with transaction.atomic():
        rows = Document.objects.filter(pk=document_id, status=Document.Status.PAUSED)
        found = rows.select_for_update(of=("self",)).select_related("collection").first()
        if found is None:
            return False
        queue_document(found, is_forced=True, even_paused=True)
    return True


def _cancel(collection: Collection, rows: "QuerySet[Document]", *, is_whole: bool) -> int:
    """What is searched stays as it is; what never was has failed, and can be tried again."""
    stopped = (*WORKING, Document.Status.PAUSED)
    with transaction.atomic():
        if is_whole:
            Collection.objects.filter(pk=collection.pk).update(paused_at=None)
        found = _locked(rows.filter(status__in=stopped))
        waiting = DocumentVersion.objects.filter(
            document__in=found.values("pk"), state=DocumentVersion.State.WAITING
        )
        waiting.update(state=DocumentVersion.State.FAILED, reason=CANCELLED)
        kept = Q(chunk_count__gt=0) | Q(excluded_at__isnull=False)
        count = found.filter(kept).update(status=Document.Status.READY, reason="", job_id=None)
        failed = {"status": Document.Status.FAILED, "reason": CANCELLED, "job_id": None}
        return count + found.exclude(kept).update(**failed)


def _bring_forward(rows: "QuerySet[Document]") -> int:
    queued = rows.filter(status=Document.Status.QUEUED, job_id__isnull=False)
    found = queued.order_by("pk").values_list("job_id", flat=True)
    return jobs.bring_forward([job_id for job_id in found if job_id is not None])


def _index_again(collection: Collection, rows: "QuerySet[Document]", *, is_forced: bool) -> int:
    idle = rows.exclude(status__in=(*WORKING, Document.Status.PAUSED))
    count = idle.count()
    if count <= AT_ONCE:
        for document in idle.select_related("collection"):
            reindex_document(document, is_forced=is_forced)
    elif count:
        arguments = {"collection_id": str(collection.pk), "is_forced": is_forced}
        jobs.enqueue(REFRESH, arguments, collection.owner_id, collection.pk)
    return count


def _locked(rows: "QuerySet[Document]") -> "QuerySet[Document]":
    """The same rows, locked in one order: two orders at once wait for each other."""
    ids = list(rows.order_by("pk").select_for_update().values_list("pk", flat=True))
    return Document.objects.filter(pk__in=ids)


def describe(order: Order, count: int) -> str:
    """What was done, in words."""
    match order:
        case Order.PAUSE:
            text = ngettext("%d document is paused.", "%d documents are paused.", count)
        case Order.RESUME:
            text = ngettext("%d document goes on.", "%d documents go on.", count)
        case Order.CANCEL:
            text = ngettext("%d document was stopped.", "%d documents were stopped.", count)
        case Order.FIRST:
            text = ngettext("%d document comes next.", "%d documents come next.", count)
        case _:
            text = ngettext(
                "%d document is being indexed again.",
                "%d documents are being indexed again.",
                count,
            )
    return text % (count,)
