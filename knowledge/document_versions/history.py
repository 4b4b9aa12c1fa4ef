"""The versions of a document as they are listed and read; permission in every query."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import Http404

from accounts.models import User
from knowledge.models import Document, DocumentVersion, VersionText
from security.reading import second_lock

CURRENT = "current"


@dataclass(frozen=True, slots=True)
class Listed:
    """One version: `state` is `current`, `waiting`, `past` or `failed`."""

    number: int
    state: str
    reason: str
    file_name: str
    media_type: str
    size: int
    sha256: str
    stored_id: UUID
    note: str
    source: str  # the name of what brought it; empty: somebody uploaded it
    added_by: str
    made_at: datetime
    ended_at: datetime | None = None
    has_text: bool = True


@second_lock
def list_versions(user: User | AnonymousUser, document: Document) -> list[Listed]:
    """All that are kept, the newest first; the one that is searched is among them."""
    rows = _rows(user, document).select_related("source", "added_by")
    with_text = set(
        VersionText.objects.filter(version__in=_rows(user, document)).values_list("pk", flat=True)
    )
    others = [_listed(row, has_text=row.pk in with_text) for row in rows]
    return sorted([_current(document), *others], key=lambda one: -one.number)


@second_lock
def find_version(user: User | AnonymousUser, document: Document, number: int) -> Listed:
    """One of `list_versions`; raises Http404."""
    if number == document.version_number:
        return _current(document)
    row = _rows(user, document).select_related("source", "added_by").filter(number=number).first()
    if row is None:
        raise Http404
    return _listed(row, has_text=VersionText.objects.filter(version=row).exists())


@second_lock
def find_text(user: User | AnonymousUser, document: Document, number: int) -> VersionText | None:
    """The text of a version that was searched once; None where it is not kept."""
    found: VersionText | None = VersionText.objects.filter(
        version__in=_rows(user, document).filter(number=number)
    ).first()
    return found


@second_lock
def has_text(user: User | AnonymousUser, document: Document, number: int) -> bool:
    """Whether the text of that version is kept beside the searched one's."""
    rows = _rows(user, document).filter(number=number, extracted__isnull=False)
    return rows.exists()


def newest_failed(document: Document) -> DocumentVersion | None:
    """The newest version, where it could not be taken in: the one that is searched is older."""
    newest: DocumentVersion | None = (
        document.versions.filter(number__gt=document.version_number).order_by("-number").first()
    )
    if newest is None or newest.state != DocumentVersion.State.FAILED:
        return None
    return newest


def _rows(user: User | AnonymousUser, document: Document) -> "QuerySet[DocumentVersion]":
    found: QuerySet[DocumentVersion] = DocumentVersion.objects.visible_to(user)
    return found.filter(document=document.pk)


def _current(document: Document) -> Listed:
    source = document.source
    by = document.version_by or document.added_by
    return Listed(
        document.version_number,
        CURRENT,
        "",
        document.file_name,
        document.media_type,
        document.size,
        document.sha256,
        document.stored_id,
        document.version_note,
        "" if source.kind == source.Kind.UPLOAD else source.name,
        str(by) if by else "",
        document.version_at or document.created_at,
    )


def _listed(row: DocumentVersion, *, has_text: bool) -> Listed:
    source = row.source
    return Listed(
        row.number,
        row.state,
        row.reason,
        row.file_name,
        row.media_type,
        row.size,
        row.sha256,
        row.file_id,
        row.note,
        "" if source is None or source.kind == source.Kind.UPLOAD else source.name,
        str(row.added_by) if row.added_by else "",
        row.made_at,
        row.ended_at,
        has_text,
    )
