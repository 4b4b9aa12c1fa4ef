"""Images that people attach: redrawn once by the worker, then shown and sent as they are stored."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import Http404

from accounts.models import User
from knowledge import storage
from knowledge.errors import DocumentGone
from knowledge.extraction.process import redraw
from knowledge.models import Document, Picture
from knowledge.types import Drawn
from security.reading import second_lock


def is_picture(document: Document) -> bool:
    return document.media_type.startswith("image/")


def take_picture(document: Document, check: Callable[[], None] | None = None) -> None:
    """Redraw the stored image and keep that instead; its document is ready then.

    Run again after a crash it redraws what it had redrawn. Raises `ExtractionFailed` with a
    reason, and `DocumentGone`.
    """
    drawn = redraw(storage.path_of(document.pk), check)
    stored = storage.replace(document.pk, drawn.large.data)
    with transaction.atomic():
        if not Document.objects.select_for_update().filter(pk=document.pk).exists():
            transaction.on_commit(lambda: storage.retire(document.pk))
            raise DocumentGone(str(document.pk))
        Picture.objects.update_or_create(
            document=document,
            defaults={
                "width": drawn.large.width,
                "height": drawn.large.height,
                "small": drawn.small.data,
                "small_type": drawn.small.media_type,
                "small_width": drawn.small.width,
                "small_height": drawn.small.height,
            },
        )
        document.media_type = drawn.large.media_type
        document.size, document.sha256 = stored.size, stored.sha256
        document.status, document.reason = Document.Status.READY, ""
        fields = ["media_type", "size", "sha256", "status", "reason", "updated_at"]
        document.save(update_fields=fields)


@dataclass(frozen=True, slots=True)
class Stored:
    """An image that is there to be read; its pixels come with `load`."""

    document_id: UUID
    media_type: str
    width: int
    height: int
    small: Drawn

    def load(self) -> Drawn:
        """The large one, from its file. Raises Http404 when that has just gone."""
        try:
            data = storage.path_of(self.document_id).read_bytes()
        except FileNotFoundError as error:
            raise Http404 from error
        return Drawn(data, self.media_type, self.width, self.height)


@second_lock
def find_picture(user: User | AnonymousUser, document_id: UUID) -> Stored:
    """The image on a shelf that `user` may read, once it is redrawn; raises Http404."""
    attached = Document.objects.attached_for(user).filter(pk=document_id)
    found = Picture.objects.filter(document__in=attached).select_related("document").first()
    if found is None:
        raise Http404
    small = Drawn(bytes(found.small), found.small_type, found.small_width, found.small_height)
    return Stored(document_id, found.document.media_type, found.width, found.height, small)
