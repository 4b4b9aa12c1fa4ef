"""The versions of a document as they are listed and read; permission in every query."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404

from accounts.models import User
from knowledge.models import Document, DocumentVersion, Figure, VersionText
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
    added_by_id: UUID | None
    made_at: datetime
    ended_at: datetime | None = None
    added_by: str = ""
    has_text: bool = True


def list_versions(user: User | AnonymousUser, document: Document) -> list[Listed]:
    """All that are kept, the newest first; the one that is searched is among them."""
    rows = _kept(user, document, None)
    found = [_current(document), *(_listed(row) for row in rows)]
    return sorted(_named(user, document, found), key=lambda one: -one.number)


def find_version(user: User | AnonymousUser, document: Document, number: int) -> Listed:
    """One of `list_versions`; raises Http404."""
    if number == document.version_number:
        return _named(user, document, [_current(document)])[0]
    rows = _kept(user, document, number)
    if not rows:
        raise Http404
    return _named(user, document, [_listed(rows[0])])[0]


@second_lock
def _kept(
    user: User | AnonymousUser, document: Document, number: int | None
) -> list[DocumentVersion]:
    rows = _rows(user, document)
    if number is not None:
        rows = rows.filter(number=number)
    text = VersionText.objects.filter(version=OuterRef("pk"))
    return list(rows.select_related("source").annotate(has_text=Exists(text)))


def _named(user: User | AnonymousUser, document: Document, rows: list[Listed]) -> list[Listed]:
    """With who brought them: names are read beside the second lock, which knows no people.

    Sources are told to those who look after the collection alone.
    """
    if not Document.objects.editable_by(user).filter(pk=document.pk).exists():
        rows = [replace(row, source="") for row in rows]
    people = User.objects.in_bulk([row.added_by_id for row in rows if row.added_by_id])
    return [
        replace(row, added_by=str(people[row.added_by_id])) if row.added_by_id in people else row
        for row in rows
    ]


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


@second_lock
def has_figures(user: User | AnonymousUser, document: Document, number: int) -> bool:
    """Whether the pictures of that version are there: they are not of all older ones."""
    rows = Figure.objects.visible_to(user).filter(document=document.pk, version__number=number)
    return bool(rows.exists())


@second_lock
def newest_failed(user: User | AnonymousUser, document: Document) -> DocumentVersion | None:
    """The newest version, where it could not be taken in: the one that is searched is older."""
    rows = _rows(user, document).filter(number__gt=document.version_number)
    newest: DocumentVersion | None = rows.order_by("-number").first()
    if newest is None or newest.state != DocumentVersion.State.FAILED:
        return None
    return newest


@second_lock
def find_failures(user: User | AnonymousUser, documents: Sequence[Document]) -> dict[UUID, str]:
    """By document, why its newest version could not be taken in, of those that have one."""
    rows = DocumentVersion.objects.visible_to(user).newer_failed()
    found = rows.filter(document__in=[document.pk for document in documents])
    return dict(found.order_by("number").values_list("document_id", "reason"))


def _rows(user: User | AnonymousUser, document: Document) -> "QuerySet[DocumentVersion]":
    found: QuerySet[DocumentVersion] = DocumentVersion.objects.visible_to(user)
    return found.filter(document=document.pk)


def _current(document: Document) -> Listed:
    source = document.source
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
        document.version_by_id or document.added_by_id,
        document.version_at or document.created_at,
    )


def _listed(row: Any) -> Listed:
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
        row.added_by_id,
        row.made_at,
        row.ended_at,
        has_text=row.has_text,
    )
