"""Deleted documents, remembered until their files and every stored word of them are gone.

Postgres itself takes the note (a trigger), in the transaction that deletes: whatever deletes a
document, and whoever dies right after it, the sweepers know what is left to do.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from knowledge import storage
from knowledge.models import DeletedDocument

BATCH = 200


def deleted_documents() -> Iterator[list[UUID]]:
    """Ids of documents that were deleted and are not forgotten yet, in batches."""
    after = UUID(int=0)
    noted = DeletedDocument.objects.order_by("pk").values_list("pk", flat=True)
    while found := list(noted.filter(pk__gt=after)[:BATCH]):
        after = found[-1]
        yield found


def remove_files(document_ids: Sequence[UUID]) -> None:
    """Remove the files of deleted documents; during a backup they stay for the next time."""
    for document_id in document_ids:
        storage.retire(document_id)


def forget(document_ids: Sequence[UUID], before: datetime) -> int:
    """Forget those that were deleted before that moment and have no file any more; how many."""
    gone = [pk for pk in document_ids if not storage.path_of(pk).exists()]
    deleted, _ = DeletedDocument.objects.filter(pk__in=gone, deleted_at__lt=before).delete()
    return deleted
