"""Writes: collections and documents.

What comes in is put by `document_versions.putting`, queued by `queueing`, indexed by `ingestion`.
"""

from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from django.db import transaction

from accounts.models import Grant, User
from accounts.services import everyone, forget_grants, share
from events import jobs
from knowledge import indexing, storage
from knowledge.document_versions.keeping import files_of
from knowledge.document_versions.putting import Outcome, Put, put_document
from knowledge.errors import DocumentGone
from knowledge.models import Collection, Document, Source
from knowledge.queueing import (
    INGEST,
    cancel_indexing,
    queue_document,
    reindex_document,
    retry_document,
    upload_source,
)
from knowledge.sources.ownership import claim
from knowledge.storage import Readable
from knowledge.switches import Switch, said_after
from security import audit
from security.acts import Act

__all__ = [
    "INGEST", "Outcome", "Put", "add_document", "cancel_indexing", "create_collection",
    "delete_collection", "delete_document", "ensure_samples", "put_document", "queue_document",
    "reindex_document", "remove_collection", "remove_everything_of", "retry_document",
    "update_collection", "upload_source",
]  # fmt: skip

SAMPLES = Path(__file__).resolve().parent / "samples"
PROJECT = Path(__file__).resolve().parents[1]
SAMPLE_COLLECTION = "Parley handbook"
SAMPLE_DESCRIPTION = (
    "Parley's own documentation and a few short texts of an invented company, "
    "in English, 简体中文 and 繁體中文. Ask it something."
)
PROJECT_DOCUMENTS = ("README.md", "docs/guide.md", "docs/architecture.md")


# -- Collections -----------------------------------------------------------------------------------


def create_collection(user: User, name: str, description: str = "") -> Collection:
    collection: Collection = Collection.objects.create(
        owner=user, name=name, description=description
    )
    return collection


def update_collection(
    collection: Collection,
    *,
    name: str,
    description: str,
    labels: list[str] | None = None,
    understanding: Mapping[Switch, bool | None] | None = None,
) -> None:
    """`labels` are what it demands from now on, `understanding` what it says of these switches
    (None: nothing more); None leaves them. Passages stay where they are."""
    collection.name, collection.description = name, description
    with transaction.atomic():
        if labels is not None and labels != collection.required_labels:
            audit.record(Act.LABELS_CHANGED, collection, labels=labels)
            collection.required_labels = labels
        collection.understanding = said_after(collection.understanding, understanding or {})
        collection.save(
            update_fields=[
                "name", "description", "required_labels", "understanding", "updated_at"
            ]
        )  # fmt: skip


def delete_collection(collection: Collection) -> None:
    """Delete a collection with its documents, passages, grants and files; twice is once."""
    for job_id in collection.documents.values_list("job_id", flat=True):
        cancel_indexing(job_id)
    with transaction.atomic():
        remove_collection(collection.pk)


def remove_everything_of(user: User) -> None:
    """Delete the collections of a person who goes, in the caller's transaction (`DEPARTURES`).

    Documents they added to collections of others stay.
    """
    owned = Collection.objects.filter(owner=user).order_by("pk")
    documents = Document.objects.filter(collection__in=owned)
    jobs.forget(subject_ids=list(documents.values_list("pk", flat=True)))
    for collection_id in owned.values_list("pk", flat=True):
        remove_collection(collection_id)


def remove_collection(collection_id: UUID) -> None:
    """Delete a collection, or a shelf, and all that is in it, in the caller's transaction."""
    try:
        indexing.remove_collection(collection_id)
    except DocumentGone:
        return
    # After the statistics, which whoever indexes locks first. An upload that has not committed
    # waits here, and then finds no collection.
    collection = Collection.objects.select_for_update().get(pk=collection_id)
    documents = list(collection.documents.values_list("pk", flat=True))
    files = files_of(documents)
    forget_grants(Grant.Kind.COLLECTION, collection_id)
    forget_grants(Grant.Kind.DOCUMENT, *documents)
    if not collection.is_shelf:
        audit.record(Act.COLLECTION_DELETED, collection, documents=len(documents))
    # Its documents before it and its parts, with which go the sums that a trigger keeps of them.
    collection.delete()
    transaction.on_commit(lambda: _remove_files(files))


# -- Documents -------------------------------------------------------------------------------------


def add_document(
    user: User | None,
    collection: Collection,
    file: Readable,
    file_name: str,
    source: Source | None = None,
    *,
    declared: str = "",
    title: str = "",
) -> tuple[Document, bool]:
    """Store a file and queue its indexing; return the document and whether it is new.

    The same bytes in the same collection are the same document; one that had failed is tried
    again. Raises what `put_document` raises.
    """
    put = put_document(
        collection, file, file_name, user=user, source=source, declared=declared, title=title
    )
    if put.outcome is Outcome.DUPLICATE and source is None:
        claim(put.document)
    return put.document, put.outcome is Outcome.ADDED


def delete_document(document: Document) -> None:
    """Delete a document for good, its passages and its file; people use `discarding`."""
    with transaction.atomic():
        cancel_indexing(document.job_id)
        indexing.remove_from_index(document)
        shelf = Collection.objects.filter(pk=document.collection_id, is_shelf=True)
        files = files_of([document.pk])
        if Document.objects.filter(pk=document.pk).delete()[0]:
            audit.record(Act.DOCUMENT_DELETED, document, collection=str(document.collection_id))
        forget_grants(Grant.Kind.DOCUMENT, document.pk)
        Collection.parts_apart.filter(pk=document.pk).delete()
        shelf.delete()
        transaction.on_commit(lambda: _remove_files(files))


def _remove_files(file_ids: list[UUID]) -> None:
    for file_id in file_ids:
        storage.retire(file_id)


# -- Samples ---------------------------------------------------------------------------------------


def ensure_samples(owner: User) -> Collection:
    """The collection everybody can try Parley with; run again, it adds only what is missing."""
    owned = Collection.objects.owned_by(owner)
    collection: Collection | None = owned.filter(name=SAMPLE_COLLECTION).first()
    if collection is None:
        with transaction.atomic():
            collection = create_collection(owner, SAMPLE_COLLECTION, SAMPLE_DESCRIPTION)
            share(collection, everyone(), Grant.Role.READER, by=owner)
    for path in _sample_files():
        if not collection.documents.filter(file_name=path.name).exists():
            with path.open("rb") as file:
                add_document(owner, collection, file, path.name)
    return collection


def _sample_files() -> list[Path]:
    project = [PROJECT / name for name in PROJECT_DOCUMENTS]
    return [path for path in [*project, *sorted(SAMPLES.glob("*"))] if path.is_file()]
