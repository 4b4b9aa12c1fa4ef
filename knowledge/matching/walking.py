"""The documents of a collection that match, a stretch at a time, in the order of their ids."""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from accounts.access import OneOf
from accounts.models import User
from knowledge.counts import count_documents
from knowledge.curation.cited import is_cited
from knowledge.curation.documents import Wanted, narrowed
from knowledge.models import Collection, Document
from security.reading import reading_as

STRETCH = 500


def rows_of(user: User, collection_id: UUID, wanted: Wanted) -> "QuerySet[Document]":
    """What `user` may change of it; of `uncited`, before those that are cited are left out."""
    editable = Collection.objects.editable_by(user).filter(pk=collection_id)
    rows: QuerySet[Document] = Document.objects.filter(OneOf("collection", editable.values("pk")))
    return narrowed(rows, wanted).order_by()


def count(user: User, collection_id: UUID, wanted: Wanted) -> int | None:
    """How many match; None where it would take a look at every citation."""
    if wanted.list == "uncited":
        return None
    if not wanted.is_narrow:
        return count_documents([collection_id], user)[collection_id].documents
    with reading_as(user):
        return rows_of(user, collection_id, wanted).count()


def walk(
    user: User, collection_id: UUID, wanted: Wanted, after: UUID, before: datetime
) -> Iterator[list[UUID]]:
    """Stretches of ids beyond `after`, of documents that were there `before`; each asks anew, but
    for copies, which are no copies once the first of them is gone: whoever goes on notes them."""
    rows = rows_of(user, collection_id, wanted).filter(created_at__lte=before)
    if wanted.list == "duplicates":
        with reading_as(user):
            found = list(rows.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True))
        yield from (found[at : at + STRETCH] for at in range(0, len(found), STRETCH))
        return
    while ids := _stretch(user, rows.filter(pk__gt=after), wanted):
        after = ids[-1]
        yield _without_cited(ids) if wanted.list == "uncited" else ids


def _stretch(user: User, rows: "QuerySet[Document]", wanted: Wanted) -> list[UUID]:
    ids = rows.order_by("pk").values_list("pk", flat=True)[:STRETCH]
    if wanted.list == "uncited":
        return list(ids)  # what others cite counts too, as in the list
    with reading_as(user):
        return list(ids)


def _without_cited(ids: list[UUID]) -> list[UUID]:
    cited = Document.objects.filter(is_cited("pk"), pk__in=ids).order_by()
    known = set(cited.values_list("pk", flat=True))
    return [pk for pk in ids if pk not in known]
