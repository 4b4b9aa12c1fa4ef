"""Bytes that come in: a new document, the next version of one, or nothing new."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone

from accounts.models import User
from knowledge import storage
from knowledge.document_versions.keeping import retire_unused
from knowledge.document_versions.switching import next_number
from knowledge.file_kinds import title_of
from knowledge.file_names import clean_name
from knowledge.file_types import detect_type
from knowledge.models import Collection, Document, DocumentVersion, Source
from knowledge.queueing import queue_document, retry_document, upload_source
from knowledge.quota import require_room
from knowledge.storage import Readable, StoredFile
from security.ids import new_id


class Outcome(StrEnum):
    ADDED = "added"  # a new document
    CHANGED = "changed"  # the next version of the document waits to be indexed
    UNCHANGED = "unchanged"  # these are the bytes that it has, or is about to have
    DUPLICATE = "duplicate"  # another document of the collection has these bytes


@dataclass(frozen=True, slots=True)
class Put:
    """What became of the bytes, and the document that has them now."""

    document: Document
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Arrival:
    """Bytes on disk under an id of their own, and what is said of them."""

    file_id: UUID
    stored: StoredFile
    name: str
    title: str
    declared: str
    note: str
    user: User | None
    source: Source | None

    @property
    def path(self) -> Path:
        return self.stored.path

    @property
    def best_title(self) -> str:
        return (self.title or title_of(self.name))[:300]


def put_document(
    collection: Collection,
    file: Readable,
    file_name: str,
    *,
    document: Document | None = None,
    user: User | None = None,
    source: Source | None = None,
    declared: str = "",
    title: str = "",
    note: str = "",
) -> Put:
    """Store bytes as a document of the collection, or as the next version of `document`.

    Search sees the searched version until the next one is ready; one that fails leaves it as it
    is, with the reason shown. `declared` is the media type its sender gave: only compared, never
    stored or sent back. `note` is what its source says of this version: a commit, a date. May be
    called inside a transaction. Raises `UploadRefused` with a reason, `StorageFull`, and Http404
    when the collection, or the document, is deleted meanwhile; then nothing is changed, and no file
    stays behind.
    """
    file_id = new_id()
    arrival = Arrival(
        file_id, storage.store(file_id, file), clean_name(file_name), title, declared, note[:200],
        user, source,
    )  # fmt: skip
    try:
        put = _add(collection, arrival) if document is None else _replace(document, arrival)
    except BaseException:
        storage.remove(file_id)
        raise
    if put.outcome in {Outcome.UNCHANGED, Outcome.DUPLICATE}:
        storage.remove(file_id)
    return put


def _add(collection: Collection, arrival: Arrival) -> Put:
    """Save a document and queue it, or find the one that has its bytes already."""
    sha256 = arrival.stored.sha256
    known = Document.objects.filter(collection=collection, sha256=sha256)
    if (found := known.first()) is not None:
        return _known(found)
    draft = Document(
        id=arrival.file_id,
        collection=collection,
        title=arrival.best_title,
        file_name=arrival.name,
        media_type=detect_type(arrival.path, arrival.name, arrival.declared).media_type,
        size=arrival.stored.size,
        sha256=sha256,
        version_note=arrival.note,
        added_by=arrival.user,
    )
    try:
        with transaction.atomic():
            require_room(arrival.user, draft.size)
            draft.source = arrival.source or upload_source(collection)
            draft.save(force_insert=True)
            queue_document(draft)
    except IntegrityError as error:
        # The same bytes arrived twice at once: the other one was first.
        if (found := known.first()) is not None:
            return _known(found)
        if not Collection.objects.filter(pk=collection.pk).exists():
            raise Http404 from error
        raise
    return Put(draft, Outcome.ADDED)


def _known(document: Document) -> Put:
    if document.status == Document.Status.FAILED:
        retry_document(document)
    return Put(document, Outcome.DUPLICATE)


def _replace(document: Document, arrival: Arrival) -> Put:
    if _is_searched(document, arrival.stored.sha256):
        return Put(document, Outcome.UNCHANGED)
    media_type = detect_type(arrival.path, arrival.name, arrival.declared).media_type
    with transaction.atomic():
        # First, as whoever adds a file does it: the rows of budgets before those of documents.
        require_room(arrival.user, arrival.stored.size)
        return add_version(document, arrival.stored.sha256, partial(_version, arrival, media_type))


def add_version(document: Document, sha256: str, make: Callable[[], DocumentVersion]) -> Put:
    """Let a version with these bytes wait for the document, in the caller's transaction.

    It takes the place of one that waits already. Raises Http404 when the document is gone.
    """
    here = Document.objects.filter(pk=document.pk, collection=document.collection_id)
    locked = here.select_for_update(of=("self",)).select_related("collection").first()
    if locked is None:
        raise Http404
    waiting = locked.versions.filter(state=DocumentVersion.State.WAITING).first()
    if (waiting or locked).sha256 == sha256:
        if waiting is None and locked.status == Document.Status.FAILED:
            queue_document(locked)
        return Put(locked, Outcome.UNCHANGED)
    same = Document.objects.filter(collection=locked.collection_id, sha256=sha256)
    if (other := same.exclude(pk=locked.pk).first()) is not None:
        return Put(other, Outcome.DUPLICATE)
    number = next_number(locked)
    if waiting is not None:
        waiting.delete()
        transaction.on_commit(partial(retire_unused, [waiting.file_id]))
    if locked.sha256 != sha256:
        version = make()
        version.document, version.number = locked, number
        version.state, version.made_at = DocumentVersion.State.WAITING, timezone.now()
        version.save(force_insert=True)
    if locked.status != Document.Status.PAUSED:  # else it is indexed when it goes on
        queue_document(locked)
    is_back = locked.sha256 == sha256  # what is searched, while another version waited
    return Put(locked, Outcome.UNCHANGED if is_back else Outcome.CHANGED)


def _version(arrival: Arrival, media_type: str) -> DocumentVersion:
    return DocumentVersion(
        file_id=arrival.file_id,
        file_name=arrival.name,
        media_type=media_type,
        size=arrival.stored.size,
        sha256=arrival.stored.sha256,
        title=arrival.best_title,
        source=arrival.source,
        added_by=arrival.user,
        note=arrival.note,
    )


def _is_searched(document: Document, sha256: str) -> bool:
    """Whether nothing is to do for these bytes."""
    ready = Document.objects.filter(pk=document.pk, status=Document.Status.READY, sha256=sha256)
    waits = DocumentVersion.objects.filter(
        document=document.pk, state=DocumentVersion.State.WAITING
    )
    return ready.exists() and not waits.exists()
