"""Items and documents: whose a document is, and how an item's bytes become one.

A document belongs to the source in its `source`: only that one removes it. The same bytes are one
document in a collection, so an item may point at one that a person uploaded, or another source
brought; it is linked then, and stays when the item goes.
"""

from uuid import UUID

from django.db import transaction

from knowledge import discarding
from knowledge.document_access.following import follow
from knowledge.document_versions.putting import Outcome, put_document
from knowledge.models import Document, Source, SourceItem
from knowledge.queueing import upload_source
from knowledge.sources.connector import Found
from knowledge.storage import Readable


def hand_over(
    source: Source,
    item: SourceItem,
    found: Found,
    file: Readable,
    *,
    deleted: Document | None = None,
) -> tuple[Document, bool]:
    """The document that holds these bytes, and whether it is news; in the caller's transaction.

    The source's own document gets them as its next version. A new one has the readers of the one
    whose place it takes, also where that was `deleted`. Raises `UploadRefused` and `StorageFull`;
    the item's document is what it was then.
    """
    before = item.document
    put = put_document(
        source.collection,
        file,
        found.file_name,
        document=before if before is not None and _is_only_its(before, item) else None,
        user=source.added_by,
        source=source,
        declared=found.media_type,
        title=found.title,
        note=found.commit or found.last_modified,
    )
    place = before or deleted
    if place is not None and put.outcome is Outcome.ADDED:
        follow(place, put.document)
    if before is not None and before.pk != put.document.pk:
        release(item, before)
        return put.document, True
    return put.document, before is None or put.outcome is Outcome.CHANGED


def _is_only_its(document: Document, item: SourceItem) -> bool:
    """Whether nobody but this item would see the document's bytes change."""
    others = SourceItem.objects.filter(document=document).exclude(pk=item.pk)
    return document.source_id == item.source_id and not others.exists()


def release(item: SourceItem, document: Document) -> bool:
    """Let go of an item's document, in the caller's transaction; whether it went.

    It goes when it is the source's own and no other item has it; another source that has it too
    keeps it from now on.
    """
    SourceItem.objects.filter(pk=item.pk).update(document=None)
    if document.source_id != item.source_id:
        return False
    others = SourceItem.objects.filter(document=document).exclude(pk=item.pk)
    heir = others.order_by("id").first()
    if heir is not None:
        Document.objects.filter(pk=document.pk).update(source_id=heir.source_id)
        return False
    return discarding.discard(document)


def keep_documents(source: Source) -> None:
    """The documents of a source that is deleted go to the uploads of the collection."""
    uploads = upload_source(source.collection)
    Document.objects.filter(source=source).update(source=uploads)


def remove_some(source: Source, limit: int) -> int:
    """Remove documents of a source that is deleted, some at a time; how many were handled."""
    with transaction.atomic():
        documents = list(Document.objects.filter(source=source).order_by("id")[:limit])
        for document in documents:
            others = SourceItem.objects.filter(document=document).exclude(source=source)
            heir: UUID | None = others.values_list("source_id", flat=True).first()
            if heir is not None:
                Document.objects.filter(pk=document.pk).update(source_id=heir)
            else:
                discarding.discard(document)
    return len(documents)
