"""Documents of a collection as a curator asks for them: lists, filters, orders.

Everything is paged by keys, and quick with hundreds of thousands of documents.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.access import OneOf
from accounts.models import User
from knowledge import selectors
from knowledge.curation.cited import is_cited
from knowledge.document_access.selectors import hide_homes, list_shared
from knowledge.models import Collection, Document, DocumentVersion
from security.paging import Page, cursor_after, paginate
from security.reading import reading_as

# Of never cited documents: so many are looked at together, and so often for one page.
STRETCH, STRETCHES = 1_000, 5
LIKE = ("like_a", "like_b", "like_c")
ACTIVE = (Document.Status.QUEUED, Document.Status.RUNNING)
LISTS: dict[str, str | Promise] = {
    "": _("All documents"),
    "failed": _("Need attention"),
    "stale": _("Not renewed for long"),
    "duplicates": _("Duplicates"),
    "uncited": _("Never cited"),
    "excluded": _("Excluded from search"),
}
FOR_READERS = ("", "failed")  # lists that tell nothing of what curators and others do
ORDERS: dict[str, tuple[str | Promise, tuple[str, ...]]] = {
    "": (_("Newest first"), ("-id",)),
    "oldest": (_("Oldest first"), ("id",)),
    "updated": (_("Changed last"), ("-updated_at", "-id")),
    "title": (_("By name"), ("name_key", "id")),
    "size": (_("Largest first"), ("-size", "-id")),
}
AGES: dict[str, str | Promise] = {
    "": _("Any age"),
    "7": _("Added in the last 7 days"),
    "30": _("Added in the last 30 days"),
    "-90": _("Added more than 90 days ago"),
    "-365": _("Added more than a year ago"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """`list` and `order` are keys of `LISTS` (or `shared`) and `ORDERS`, `age` of `AGES`; empty:
    all of them."""

    list: str = ""
    q: str = ""
    status: str = ""
    kind: str = ""
    source: UUID | None = None
    age: str = ""
    order: str = ""

    @property
    def is_narrow(self) -> bool:
        return any((self.list, self.q, self.status, self.kind, self.source, self.age))


@dataclass(frozen=True, slots=True)
class Twin:
    """Another document of the collection with the same words, or nearly."""

    document: Document
    is_same: bool


def list_wanted(
    user: User, collection_id: UUID | None, wanted: Wanted, cursor: str | None, limit: int
) -> Page[Document]:
    """A page of the documents that `user` may see.

    What is never cited is told to those alone who may edit, and counts conversations beyond their
    own: so it is asked without the second lock. Raises InvalidCursor, and Http404 as
    `list_documents` does.
    """
    rows = narrowed(selectors.list_documents(user, collection_id), wanted)
    order = ORDERS[wanted.order][1]
    if "name_key" in order:
        rows = rows.annotate(name_key=Lower("title"))
    if wanted.list == "shared":
        rows = rows.filter(pk__in=list_shared(user).values("pk"))
    if wanted.list == "uncited":
        editable = Collection.objects.editable_by(user).values("pk")
        page = _walk_uncited(rows.filter(OneOf("collection", editable)), order, cursor, limit)
    else:
        with reading_as(user):
            page = paginate(rows, order, cursor, limit)
    hide_homes(user, page.items)
    return page


def narrowed(rows: "QuerySet[Document]", wanted: Wanted) -> "QuerySet[Document]":
    if wanted.q:
        rows = rows.filter(Q(title__icontains=wanted.q) | Q(file_name__icontains=wanted.q))
    if wanted.status:
        rows = rows.filter(status__in=ACTIVE if wanted.status == "active" else [wanted.status])
    if wanted.kind:
        rows = rows.filter(media_type=wanted.kind)
    if wanted.source:
        rows = rows.filter(source=wanted.source)
    if wanted.age:
        days = int(wanted.age)
        border = timezone.now() - timedelta(days=abs(days))
        rows = rows.filter(**{"created_at__gte" if days > 0 else "created_at__lt": border})
    return _of_list(rows, wanted.list)


def _of_list(rows: "QuerySet[Document]", name: str) -> "QuerySet[Document]":
    match name:
        case "failed":
            newer = DocumentVersion.objects.newer_failed().values("document")
            return rows.filter(Q(status=Document.Status.FAILED) | Q(OneOf("pk", newer)))
        case "stale":
            border = timezone.now() - timedelta(days=settings.PARLEY_STALE_DAYS)
            renewed = rows.annotate(renewed_at=Coalesce("version_at", "created_at"))
            return renewed.filter(renewed_at__lt=border)
        case "duplicates":
            return rows.filter(_is_alike(rows))
        case "uncited":
            # Those that are cited are left out by `_walk_uncited`.
            return rows.filter(status=Document.Status.READY, excluded_at=None)
        case "excluded":
            return rows.filter(excluded_at__isnull=False)
    return rows


def _walk_uncited(
    rows: "QuerySet[Document]", order: Sequence[str], cursor: str | None, limit: int
) -> Page[Document]:
    """A page of those that no answer cites, a stretch of documents at a time.

    Asked about all of them at once Postgres would join every citation there is. Where nearly all
    are cited a page may be short or empty, and the next one goes on where it ended.
    """
    keys = rows.prefetch_related(None).only(
        *(name.lstrip("-") for name in order if "key" not in name)
    )
    found: list[Document] = []
    for _stretch in range(STRETCHES):
        stretch = paginate(keys, order, cursor, STRETCH)
        ids = [document.pk for document in stretch.items]
        cited = set(
            Document.objects.filter(is_cited("pk"), pk__in=ids)
            .order_by()
            .values_list("pk", flat=True)
        )
        found += [document for document in stretch.items if document.pk not in cited]
        cursor = stretch.next
        if len(found) > limit:
            found = found[:limit]
            cursor = cursor_after(found[-1], order)
        if len(found) == limit or cursor is None:
            break
    whole = rows.in_bulk([document.pk for document in found])
    return Page([whole[one.pk] for one in found if one.pk in whole], cursor)


def _is_alike(rows: "QuerySet[Document]") -> Q:
    """Numbers that more than one document has, each found by walking its index once."""
    found = Q()
    for name in LIKE:
        once: Any = rows.order_by().filter(**{f"{name}__isnull": False})
        numbers = once.values(name).annotate(count=Count("pk")).filter(count__gt=1).values(name)
        found |= Q(**{f"{name}__in": numbers})
    return found


def find_twins(user: User, collection_id: UUID, documents: Sequence[Document]) -> dict[UUID, Twin]:
    """For each of the documents one that is like it, the same rather than nearly; one query."""
    known = [document for document in documents if document.same_text is not None]
    if not known:
        return {}
    alike = Q()
    for name in LIKE:
        alike |= Q(**{f"{name}__in": {getattr(document, name) for document in known}})
    with reading_as(user):
        rows = Document.objects.collected_for(user).filter(alike, collection=collection_id)
        others = list(rows.order_by("id").only("title", "same_text", *LIKE)[:1000])
    return {
        document.pk: twin for document in known if (twin := _twin_of(document, others)) is not None
    }


def add_twins(user: User, collection_id: UUID, documents: Sequence[Any]) -> None:
    """The same, as programs are told it: `twin` of each that has one."""
    found = find_twins(user, collection_id, documents)
    for document in documents:
        if (twin := found.get(document.pk)) is not None:
            other = twin.document
            document.twin = {
                "document_id": other.pk, "title": other.title, "is_same": twin.is_same,
            }  # fmt: skip


def _twin_of(document: Document, others: Iterable[Document]) -> Twin | None:
    nearly: Document | None = None
    for other in others:
        if other.pk == document.pk:
            continue
        if other.same_text == document.same_text:
            return Twin(other, is_same=True)
        if any(getattr(other, name) == getattr(document, name) for name in LIKE):
            nearly = nearly or other
    return Twin(nearly, is_same=False) if nearly else None
