"""Whole documents: out of search and back, and from one collection to another."""

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from knowledge import indexing
from knowledge.models import Collection, Document, Source
from knowledge.queueing import queue_document
from knowledge.services import upload_source
from security import audit
from security.acts import Act

SETTLED = (Document.Status.READY, Document.Status.FAILED)


def exclude(document: Document) -> bool:
    """Nothing finds it any more; its text, its file and its edits stay. False where it is in work,
    or excluded already."""
    with transaction.atomic():
        indexing.remove_from_index(document)
        here = _settled(document).filter(excluded_at=None)
        if not here.update(excluded_at=Now(), chunk_count=0, updated_at=Now()):
            transaction.set_rollback(True)
            return False
        audit.record(Act.DOCUMENT_EXCLUDED, document)
    return True


def include(document: Document) -> bool:
    """Searched again as soon as it is indexed. False where it was not excluded."""
    with transaction.atomic():
        found = Document.objects.select_for_update(of=("self",)).filter(pk=document.pk)
        locked = found.exclude(excluded_at=None).select_related("collection").first()
        if locked is None:
            return False
        Document.objects.filter(pk=locked.pk).update(excluded_at=None)
        if locked.status in SETTLED:
            queue_document(locked, is_forced=True)
        audit.record(Act.DOCUMENT_INCLUDED, document)
    return True


def move(document: Document, target: Collection) -> bool:
    """Into another collection, with everything of it; indexed there from what is stored.

    Answers that cite it go on citing it; who may see it is whoever may see the new collection, or
    as its own access says.
    False where it is in work, is kept in step with a source, or is there already.
    """
    if target.is_shelf or target.pk == document.collection_id:
        return False
    with transaction.atomic():
        indexing.remove_from_index(document)
        rows = _settled(document).filter(source__kind=Source.Kind.UPLOAD)
        locked = rows.select_for_update(of=("self",)).first()
        there = Document.objects.filter(collection=target, sha256=document.sha256)
        # Its owner and labels as they are now, which the trigger keeps from then on.
        row = Collection.objects.select_for_update(no_key=True).filter(pk=target.pk).first()
        if locked is None or row is None or there.exists():
            transaction.set_rollback(True)
            return False
        left = locked.collection_id
        locked.collection, locked.source, locked.chunk_count = target, upload_source(target), 0
        locked.save(update_fields=["collection", "source", "chunk_count", "updated_at"])
        Collection.parts_apart.filter(pk=locked.pk).update(
            part_of=row, owner_id=row.owner_id, required_labels=row.required_labels
        )
        queue_document(locked, is_forced=True)
        audit.record(Act.DOCUMENT_MOVED, document, source=str(left), target=str(target.pk))
    return True


def _settled(document: Document) -> "QuerySet[Document]":
    return Document.objects.filter(
        pk=document.pk, collection=document.collection_id, status__in=SETTLED
    )
