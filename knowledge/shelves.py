"""Shelves: what is attached to questions, each file a document of a collection of its own.

Why not a table of its own: an attachment is read, searched, cited, verified, shown and deleted
exactly as a document is, and all of that (extraction in confinement, passages with exact offsets,
BM25 and vectors, the second lock, excerpts, viewers, stages, backups, the scrubbing of deleted
words) exists for documents. A shelf only answers differently who may see it: the person who
uploads, and after it was sent whoever may see the conversation. As one collection for each file,
sending one moves no passage, and "search these three attachments" is the search of three
collections. What keeps shelves out of every list and every search is in one place,
`CollectionQuerySet`, and once more in Postgres (migration 0006). See docs/adr/0005.
"""

from collections.abc import Collection as Ids
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import connection, transaction
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Now
from django.http import Http404
from django.utils.translation import gettext_noop as _

from accounts.models import User
from events import jobs
from knowledge import storage
from knowledge.errors import TooMuchAttached
from knowledge.file_kinds import title_of
from knowledge.file_names import clean_name
from knowledge.file_types import ATTACHABLE, detect_type
from knowledge.models import Collection, Document, Source
from knowledge.quota import require_room
from knowledge.services import queue_document, remove_collection
from knowledge.storage import Readable
from observability.metrics import swept
from security.ids import new_id

UNSENT = timedelta(days=3)  # a draft that is older has lost its files
MOST_UNSENT = 60  # files a person may have in drafts at once
BATCH = 100
LOCK = 0x7061726C65790020  # "parley": one upload of a person is counted at a time
TOO_MANY = _("Too many files wait to be sent. Send or remove some of them first.")
NO_SPACE_LEFT = _("Your attachments use all the space you have. Delete conversations with files.")


def attach(user: User, file: Readable, file_name: str, declared: str = "") -> Document:
    """Store a file for a question to come and queue its reading; only `user` sees it until then.

    Raises `UploadRefused` with a reason, and `StorageFull`; then no file stays behind.
    """
    document_id = new_id()
    stored = storage.store(document_id, file, settings.PARLEY_MAX_ATTACHMENT_MB)
    try:
        name = clean_name(file_name)
        kind = detect_type(stored.path, name, declared, ATTACHABLE)
        draft = Document(
            id=document_id,
            title=title_of(name)[:300],
            file_name=name,
            media_type=kind.media_type,
            size=stored.size,
            sha256=stored.sha256,
            added_by=user,
        )
        with transaction.atomic():
            require_room(user, stored.size)
            _require_space(user, stored.size)
            _save(draft, user)
    except BaseException:
        storage.remove(document_id)
        raise
    return draft


def _save(draft: Document, user: User) -> None:
    draft.collection = Collection.objects.create(owner=user, name=draft.title[:120], is_shelf=True)
    draft.source = Source.objects.create(collection=draft.collection, name="Attachment")
    draft.save(force_insert=True)
    queue_document(draft)


def _require_space(user: User, size: int) -> None:
    """Uploads that come at once are counted one after the other."""
    with connection.cursor() as cursor:
        key = LOCK ^ (user.pk.int & 0xFFFFFFFF)
        cursor.execute("select pg_advisory_xact_lock(%s)", [key])
    waiting = Q(collection__conversation_id=None)
    mine = Document.objects.filter(added_by=user, collection__is_shelf=True, discarded_at=None)
    used = mine.aggregate(size=Sum("size", default=0), unsent=Count("pk", filter=waiting))
    if used["unsent"] >= MOST_UNSENT:
        raise TooMuchAttached(TOO_MANY)
    if used["size"] + size > settings.PARLEY_ATTACHMENTS_MB * 1024 * 1024:
        raise TooMuchAttached(NO_SPACE_LEFT)


def list_attachments(user: User | AnonymousUser, ids: Ids[UUID]) -> "QuerySet[Document]":
    """Those of the ids that are attachments which `user` may see."""
    found: QuerySet[Document] = Document.objects.attached_for(user).filter(pk__in=ids)
    return found.select_related("collection", "picture").defer("picture__small")


def list_sent(user: User, conversation_id: UUID) -> "QuerySet[Document]":
    """Attachments of this conversation that `user` may see, oldest first."""
    found: QuerySet[Document] = Document.objects.attached_for(user).order_by("pk")
    sent = found.filter(collection__conversation_id=conversation_id)
    return sent.select_related("collection", "picture").defer("picture__small")


def require_attachments(user: User, ids: Ids[UUID]) -> list[Document]:
    """All of them, in the order of the ids; raises Http404 if one is not there for `user`."""
    by_id = {document.pk: document for document in list_attachments(user, ids)}
    if len(by_id) < len(set(ids)):
        raise Http404
    return [by_id[pk] for pk in dict.fromkeys(ids)]


def hand_over(documents: Ids[Document], owner_id: UUID, conversation_id: UUID) -> None:
    """What was not sent before belongs to this conversation from now on."""
    shelves = [document.collection_id for document in documents]
    unsent = Collection.objects.filter(pk__in=shelves, is_shelf=True, conversation_id=None)
    unsent.update(owner_id=owner_id, conversation_id=conversation_id, updated_at=Now())


def withdraw(conversation_id: UUID) -> None:
    """Nobody reads what was sent to this conversation any more, until it is brought back."""
    _shelves_in([conversation_id]).update(is_withdrawn=True)


def bring_back(conversation_id: UUID) -> None:
    _shelves_in([conversation_id]).update(is_withdrawn=False)


def clear(conversation_ids: Ids[UUID]) -> None:
    """Delete what was sent to these conversations, in the caller's transaction."""
    _remove(_shelves_in(conversation_ids))


def remove(document: Document) -> None:
    """Delete one attachment: its file, its passages, what was quoted of it."""
    with transaction.atomic():
        _remove(Collection.objects.filter(pk=document.collection_id, is_shelf=True))


def remove_unsent() -> int:
    """Delete what was attached to drafts and never sent; how many. The clock calls this."""
    removed = 0
    while found := _remove_some_unsent():
        removed += found
    swept.labels("attachments_removed").inc(removed)
    return removed


@transaction.atomic
def _remove_some_unsent() -> int:
    """What is being sent this moment is left alone."""
    old = Collection.objects.filter(
        is_shelf=True, conversation_id=None, created_at__lt=Now() - UNSENT
    )
    ids = list(old.select_for_update(skip_locked=True).values_list("pk", flat=True)[:BATCH])
    _remove(Collection.objects.filter(pk__in=ids))
    return len(ids)


def _shelves_in(conversation_ids: Ids[UUID]) -> "QuerySet[Collection]":
    found: QuerySet[Collection] = Collection.objects.filter(
        is_shelf=True, conversation_id__in=list(conversation_ids)
    )
    return found


def _remove(shelves: "QuerySet[Collection]") -> None:
    documents = Document.objects.filter(collection__in=shelves)
    jobs.forget(subject_ids=list(documents.values_list("pk", flat=True)))
    for shelf_id in shelves.order_by("pk").values_list("pk", flat=True):
        remove_collection(shelf_id)
