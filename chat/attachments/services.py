"""What is attached to questions, as the chat sees it; the files are on `knowledge.shelves`.

A question holds the ids of its attachments in order, so that a turn starts with no query more and
an edited question keeps them. Whoever may see the conversation may see them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from agents.types import AttachedFile, PastMessage
from chat.errors import TooManyAttachments
from chat.models import Conversation, Message
from knowledge import shelves
from knowledge.models import Document
from knowledge.pictures import is_picture
from security import audit
from security.acts import Act
from security.reading import reading_as

MOST = 10  # attachments of one question


@dataclass(frozen=True, slots=True)
class Attachment:
    """One as it is shown: on a chip, in a list, in the JSON API."""

    id: UUID
    name: str
    kind: str  # "document" or "image"
    media_type: str
    size: int
    status: str
    reason: str
    width: int | None = None
    height: int | None = None
    small_width: int | None = None
    small_height: int | None = None

    @property
    def is_image(self) -> bool:
        return self.kind == "image"


def describe(document: Document) -> Attachment:
    picture = getattr(document, "picture", None) if is_picture(document) else None
    return Attachment(
        id=document.pk,
        name=document.file_name,
        kind="image" if is_picture(document) else "document",
        media_type=document.media_type,
        size=document.size,
        status=document.status,
        reason=str(_(document.reason)) if document.reason else "",
        width=picture.width if picture else None,
        height=picture.height if picture else None,
        small_width=picture.small_width if picture else None,
        small_height=picture.small_height if picture else None,
    )


def choose(user: User, ids: Sequence[UUID]) -> list[Document]:
    """What a question carries, after checking that all of it is there for `user`; no query for
    nothing. Raises Http404 and TooManyAttachments."""
    if not ids:
        return []
    if len(set(ids)) > MOST:
        raise TooManyAttachments(MOST)
    return shelves.require_attachments(user, ids)


def send(documents: Sequence[Document], conversation: Conversation) -> None:
    """From now on they are seen by whoever sees the conversation."""
    if documents:
        shelves.hand_over(documents, conversation.owner_id, conversation.pk)


def attachments_of(
    user: User | AnonymousUser, messages: Iterable[Message]
) -> dict[UUID, list[Attachment]]:
    """What `user` may see of the attachments of these messages, by message; one query or none."""
    wanted = {message.pk: list(message.attachments) for message in messages if message.attachments}
    if not wanted:
        return {}
    ids = {pk for found in wanted.values() for pk in found}
    with reading_as(user):
        seen = {row.pk: describe(row) for row in shelves.list_attachments(user, ids)}
    return {pk: [seen[one] for one in found if one in seen] for pk, found in wanted.items()}


def attached_files(
    user: User, own: Sequence[UUID], history: Sequence[PastMessage]
) -> tuple[AttachedFile, ...]:
    """What a question and those before it carry, its own first, then the latest; as far as the
    person asking may see it now. One query or none."""
    earlier = [pk for message in reversed(history) for pk in message.attachments]
    ids = list(dict.fromkeys([*own, *earlier]))
    if not ids:
        return ()
    found = {row.pk: row for row in shelves.list_attachments(user, ids)}
    rows = [found[pk] for pk in ids if pk in found]
    return tuple(
        AttachedFile(
            row.pk, row.collection_id, row.file_name, is_image=is_picture(row), is_new=row.pk in own
        )
        for row in rows
    )


def sent_to(user: User, conversation_id: UUID) -> list[Attachment]:
    """Everything that was attached in a conversation, oldest first; as far as `user` may see it."""
    return [describe(row) for row in shelves.list_sent(user, conversation_id)]


def find(user: User, attachment_id: UUID) -> Attachment:
    """Raises Http404."""
    with reading_as(user):
        (found,) = shelves.require_attachments(user, [attachment_id])
        return describe(found)


def remove(user: User, attachment_id: UUID) -> None:
    """Delete it for everyone: by who has not sent it yet, or who owns the conversation.

    Raises Http404, and PermissionDenied for who only sees it.
    """
    (found,) = shelves.require_attachments(user, [attachment_id])
    if found.collection.owner_id != user.pk:
        raise PermissionDenied
    with transaction.atomic():
        if found.collection.conversation_id:
            sent_to = str(found.collection.conversation_id)
            audit.record(Act.DOCUMENT_DELETED, found, conversation=sent_to)
        shelves.remove(found)
