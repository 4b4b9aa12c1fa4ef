"""How many documents collections have, in which state: without looking at each of them.

The sums are kept by Postgres (`DocumentCount`), of what all who read a collection may see. Of the
documents with readers of their own, those that somebody may see are counted and added. So no number
tells of the others, also where the second lock hides that they are there.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, IntegerField, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

from accounts.access import OneOf
from accounts.models import User
from knowledge.models import Collection, Document, DocumentCount

MOST_ROWS = 40  # of a collection, before there is one for each state
AT_ONCE = 500  # collections

# Who reads meanwhile sees the rows before or the row after; rows that come meanwhile stay.
FOLD = """
with many as (
    select collection_id from knowledge_documentcount
    group by collection_id having count(*) > %s limit %s
), gone as (
    delete from knowledge_documentcount where collection_id in (select collection_id from many)
    returning collection_id, status, documents, passages, bytes
), kept as (
    insert into knowledge_documentcount (collection_id, status, documents, passages, bytes)
    select collection_id, status, sum(documents), sum(passages), sum(bytes)
    from gone group by collection_id, status
)
select count(*) from gone
"""


@dataclass(slots=True)
class Counts:
    """Of a collection: documents by state, their passages and bytes."""

    by_status: Counter[str] = field(default_factory=Counter)
    passages: int = 0
    bytes: int = 0

    @property
    def documents(self) -> int:
        return self.by_status.total()


def count_documents(ids: Sequence[UUID], user: User | None = None) -> dict[UUID, Counts]:
    """Of these collections, what `user` may see of them, who may see each as a whole; None:
    everything."""
    found: defaultdict[UUID, Counts] = defaultdict(Counts)
    kept = DocumentCount.objects.filter(collection_id__in=ids).order_by()
    sums = kept.values_list("collection_id", "status").annotate(
        Sum("documents"), Sum("passages"), Sum("bytes")
    )
    _add(found, sums)
    _add(found, _apart(user, ids))
    return found


def number_of_documents(user: User) -> Any:
    """For a query of collections: how many of its documents `user` may see."""
    sums = DocumentCount.objects.filter(collection_id=OuterRef("pk")).order_by()
    together = Subquery(
        sums.values("collection_id").annotate(count=Sum("documents")).values("count"),
        output_field=IntegerField(),
    )
    parts = Collection.parts_apart.visible_to(user).filter(part_of=OuterRef("pk")).order_by()
    apart = Subquery(parts.values("part_of").annotate(count=Count("pk")).values("count"))
    return Coalesce(together, 0) + Coalesce(apart, 0)


def fold() -> int:
    """For the clock: what came to a collection becomes one row a state; how many rows did."""
    with connection.cursor() as cursor:
        cursor.execute(FOLD, [MOST_ROWS, AT_ONCE])
        count: int = cursor.fetchone()[0]
        return count


def _apart(user: User | None, ids: Sequence[UUID]) -> Any:
    every = Collection.parts_apart.filter(is_withdrawn=False)
    parts = every if user is None else Collection.parts_apart.visible_to(user)
    here = OneOf("pk", parts.filter(part_of__in=ids).values("pk"))
    rows: Any = Document.objects.filter(here, is_apart=True).order_by()
    return rows.values_list("collection_id", "status").annotate(
        Count("pk"), Sum("chunk_count"), Sum("size")
    )


def _add(found: defaultdict[UUID, Counts], rows: Any) -> None:
    for collection_id, status, documents, passages, size in rows:
        counts = found[collection_id]
        counts.by_status[status] += int(documents)
        counts.passages += int(passages)
        counts.bytes += int(size)
