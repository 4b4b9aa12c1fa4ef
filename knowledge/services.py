"""Writes: collections and documents. Indexing itself is in `indexing`, the job in `jobs`."""

from pathlib import Path, PurePath
from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import Http404

from accounts.models import Grant, User
from accounts.services import everyone, forget_grants, share
from events import jobs
from knowledge import indexing, storage
from knowledge.errors import DocumentGone
from knowledge.file_names import clean_name
from knowledge.file_types import detect_type
from knowledge.models import Collection, Document, Source, Stage
from knowledge.quota import require_room
from knowledge.storage import Readable
from security import audit
from security.acts import Act
from security.ids import new_id

INGEST = "knowledge.jobs.ingest_document"
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
    collection: Collection, *, name: str, description: str, labels: list[str] | None = None
) -> None:
    """`labels` are what it demands from now on; None leaves them. Passages stay where they are."""
    collection.name, collection.description = name, description
    with transaction.atomic():
        if labels is not None and labels != collection.required_labels:
            audit.record(Act.LABELS_CHANGED, collection, labels=labels)
            collection.required_labels = labels
        collection.save(update_fields=["name", "description", "required_labels", "updated_at"])


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
    forget_grants(Grant.Kind.COLLECTION, collection_id)
    if not collection.is_shelf:
        audit.record(Act.COLLECTION_DELETED, collection, documents=len(documents))
    collection.delete()
    transaction.on_commit(lambda: _remove_files(documents))


# -- Documents -------------------------------------------------------------------------------------


def add_document(
    user: User | None,
    collection: Collection,
    file: Readable,
    file_name: str,
    source: Source | None = None,
    *,
    declared: str = "",
) -> tuple[Document, bool]:
    """Store a file and queue its indexing; return the document and whether it is new.

    `declared` is the media type its sender gave: only compared, never stored or sent back. The
    same bytes in the same collection are the same document; one that had failed is tried again.
    Raises `UploadRefused` with a reason, `StorageFull`, and Http404 when the collection is deleted
    meanwhile; then, and after a crash, no file stays behind.
    """
    document_id = new_id()
    stored = storage.store(document_id, file)
    name = clean_name(file_name)
    draft = Document(
        id=document_id,
        collection=collection,
        title=(PurePath(name).stem or name)[:300],
        file_name=name,
        size=stored.size,
        sha256=stored.sha256,
        added_by=user,
    )
    try:
        document, is_new = _add_once(draft, stored.path, source, declared)
    except BaseException:
        storage.remove(document_id)
        raise
    if not is_new:
        storage.remove(document_id)
        if document.status == Document.Status.FAILED:
            retry_document(document)
    return document, is_new


def _add_once(
    draft: Document, path: Path, source: Source | None, declared: str
) -> tuple[Document, bool]:
    """Save the draft and queue it, or return the document that has its bytes already."""
    known = Document.objects.filter(collection=draft.collection, sha256=draft.sha256)
    if (document := known.first()) is not None:
        return document, False
    draft.media_type = detect_type(path, draft.file_name, declared).media_type
    try:
        with transaction.atomic():
            require_room(draft.added_by, draft.size)
            draft.source = source or upload_source(draft.collection)
            draft.save(force_insert=True)
            queue_document(draft)
    except IntegrityError as error:
        # The same bytes arrived twice at once: the other one was first.
        if (document := known.first()) is not None:
            return document, False
        if not Collection.objects.filter(pk=draft.collection_id).exists():
            raise Http404 from error
        raise
    return draft, True


def retry_document(document: Document) -> None:
    """Index again after a failure; what was found before stays searchable meanwhile."""
    reindex_document(document)


def reindex_document(document: Document) -> None:
    """Index again from the stored file; nothing happens while it is being indexed."""
    with transaction.atomic():
        locked = Document.objects.select_for_update().filter(pk=document.pk).first()
        if locked is None or locked.status in {Document.Status.QUEUED, Document.Status.RUNNING}:
            return
        queue_document(locked)
    document.refresh_from_db()


def delete_document(document: Document) -> None:
    """Delete a document for good, its passages and its file; people use `discarding`."""
    with transaction.atomic():
        cancel_indexing(document.job_id)
        indexing.remove_from_index(document)
        shelf = Collection.objects.filter(pk=document.collection_id, is_shelf=True)
        if Document.objects.filter(pk=document.pk).delete()[0]:
            audit.record(Act.DOCUMENT_DELETED, document, collection=str(document.collection_id))
        shelf.delete()
        transaction.on_commit(lambda: storage.retire(document.pk))


def queue_document(document: Document) -> None:
    """A job and fresh stages for the document, in the caller's transaction."""
    owner_id = document.added_by_id or document.collection.owner_id
    job = jobs.enqueue(INGEST, {"document_id": str(document.pk)}, owner_id, document.pk)
    Document.objects.filter(pk=document.pk).update(
        status=Document.Status.QUEUED, reason="", job_id=job.pk
    )
    document.status, document.reason, document.job_id = Document.Status.QUEUED, "", job.pk
    Stage.objects.filter(document=document).delete()
    Stage.objects.bulk_create(Stage(document=document, name=name) for name in Stage.Name.values)


def upload_source(collection: Collection) -> Source:
    uploads = collection.sources.filter(kind=Source.Kind.UPLOAD).order_by("id")
    return uploads.first() or Source.objects.create(collection=collection, name="Uploads")


def cancel_indexing(job_id: UUID | None) -> None:
    if job_id is not None:
        jobs.request_cancel(job_id)


def _remove_files(document_ids: list[UUID]) -> None:
    for document_id in document_ids:
        storage.retire(document_id)


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
