"""What puts documents right whose job, or whose upload, died: run by the clock, each idempotent."""

from django.db.models import Exists, OuterRef

from events.models import Job
from knowledge import storage
from knowledge.document_versions.keeping import used_files
from knowledge.jobs import STOPPED, fail_document
from knowledge.models import Document
from observability.metrics import swept

BATCH = 200


def close_abandoned_documents() -> int:
    """Fail documents whose job ended without them (a worker that died too often); how many."""
    open_job = Job.objects.filter(pk=OuterRef("job_id"), finished_at=None)
    waiting = (Document.Status.QUEUED, Document.Status.RUNNING)
    abandoned = Document.objects.filter(~Exists(open_job), status__in=waiting)
    closed = 0
    while found := list(abandoned[:BATCH]):
        reasons = dict(
            Job.objects.filter(pk__in=[document.job_id for document in found]).values_list(
                "pk", "reason"
            )
        )
        for document in found:
            fail_document(document, reasons.get(document.job_id) or STOPPED)
        closed += len(found)
    swept.labels("documents_closed").inc(closed)
    return closed


def remove_orphaned_files() -> int:
    """Remove files of uploads that died before their row was written, and of versions that are
    not kept any more; how many."""
    removed = 0
    for file_ids in storage.list_older_files(BATCH):
        used = used_files(file_ids)
        removed += sum(storage.retire(pk) for pk in file_ids if pk not in used)
    swept.labels("files_removed").inc(removed)
    return removed
