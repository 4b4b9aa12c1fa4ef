"""Deleting a document, taking that back, and removing it for good when the time for it is over.

What is deleted leaves its collection at once, in one transaction: its passages leave the index, and
the row with the file and the text waits on a withdrawn shelf, which nobody reads by either lock. So
no query has to know of documents that are deleted. Taking it back indexes it again from its file.
"""

import logging
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.access import require_editable
from accounts.models import User
from events import jobs
from knowledge import indexing
from knowledge.models import Collection, Document, Source
from knowledge.services import cancel_indexing, queue_document, remove_collection, upload_source
from security import audit
from security.acts import Act

GRACE = timedelta(minutes=10)
BATCH = 100

log = logging.getLogger(__name__)


def discard(document: Document) -> bool:
    """Out of every list and search at once; False if somebody else was faster."""
    with transaction.atomic():
        cancel_indexing(document.job_id)
        indexing.remove_from_index(document)
        here = Document.objects.filter(pk=document.pk, collection=document.collection_id)
        found = here.select_for_update(of=("self",)).select_related("collection").first()
        if found is None:
            return False
        shelf = Collection.objects.create(
            owner_id=found.collection.owner_id,
            name=found.title[:120],
            is_shelf=True,
            is_withdrawn=True,
        )
        here.update(
            collection=shelf,
            source=Source.objects.create(collection=shelf, name="Deleted"),
            discarded_from=found.collection,
            discarded_at=Now(),
            job_id=None,
            chunk_count=0,
        )
        Collection.parts_apart.filter(pk=document.pk).update(is_withdrawn=True)
        audit.record(Act.DOCUMENT_DELETED, found, collection=str(found.collection_id))
    return True


def discarded_for(user: User) -> "QuerySet[Document]":
    """What may still be taken back by `user`: they may edit where it was."""
    found: QuerySet[Document] = Document.objects.filter(
        discarded_from__in=Collection.objects.editable_by(user), discarded_at__gt=Now() - GRACE
    )
    return found


def restore(user: User, document_id: UUID) -> Document:
    """Back where it was, and indexed again; twice is once. Raises Http404 and PermissionDenied.

    If the same bytes were uploaded again meanwhile, that document is the one.
    """
    with transaction.atomic():
        discarded = discarded_for(user).select_for_update(of=("self",))
        found: Document | None = discarded.filter(pk=document_id).first()
        if found is None or found.discarded_from is None:
            kept: Document = require_editable(Document.objects, user, document_id)
            return kept
        collection = found.discarded_from
        again = Document.objects.filter(collection=collection, sha256=found.sha256)
        same: Document | None = again.first()
        if same is not None:
            return same
        shelf_id = found.collection_id
        found.collection, found.source = collection, upload_source(collection)
        found.discarded_from = found.discarded_at = None
        found.save(update_fields=["collection", "source", "discarded_from", "discarded_at"])
        Collection.parts_apart.filter(pk=found.pk).update(is_withdrawn=False)
        remove_collection(shelf_id)
        queue_document(found, is_forced=True)
        audit.record(Act.DOCUMENT_RESTORED, found, collection=str(collection.pk))
        return found


def restore_in(user: User, collection: Collection, document_ids: Iterable[UUID]) -> list[UUID]:
    """Take back those of the documents that were deleted from the collection; which."""
    found = discarded_for(user).filter(discarded_from=collection, pk__in=list(document_ids))
    return [restore(user, pk).pk for pk in list(found.values_list("pk", flat=True))]


def purge_discarded() -> int:
    """Remove what was deleted longer ago than GRACE, files and all; how many. The clock calls."""
    count = 0
    while purged := _purge_some():
        count += purged
    if count:
        log.info("%s deleted documents were purged", count)
    return count


@transaction.atomic
def _purge_some() -> int:
    """Rows that are being restored this moment are left alone."""
    due = Document.objects.filter(discarded_at__lt=Now() - GRACE)
    locked = due.select_for_update(skip_locked=True, of=("self",))
    gone = dict(locked.values_list("pk", "collection_id")[:BATCH])
    jobs.forget(subject_ids=list(gone))
    for shelf_id in gone.values():
        remove_collection(shelf_id)
    return len(gone)
