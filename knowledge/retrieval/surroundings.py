"""What stands around found passages in their documents, as the person may read it."""

from collections.abc import Sequence
from functools import reduce
from operator import or_
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Length

from accounts.models import User
from knowledge.models import Chunk
from knowledge.types import NOTHING_AROUND, Around, Passage
from security.reading import second_lock

REACH = 2  # passages before and behind a found one
HITS = 8  # of the best, whose neighbours are read
MOST_WHOLE = 60  # passages of a document that may be shown whole
LONGEST_WHOLE = 20_000  # its characters


@second_lock
def read_around(user: User | AnonymousUser, passages: Sequence[Passage]) -> Around:
    """The neighbours of the best passages, and the whole of the best one's document if it is
    short. What a curator took out of search is not there."""
    if not passages:
        return NOTHING_AROUND
    visible: QuerySet[Chunk] = Chunk.objects.visible_to(user)
    rows = (
        visible.select_related("document").defer("terms", "bm25").order_by("document", "position")
    )
    found = {passage.chunk_id: passage for passage in passages}
    whole = _whole(rows.filter(document=passages[0].document_id))
    rest = [passage for passage in passages[:HITS] if passage.document_id not in whole]
    nearby = [*_near(rows, visible, rest), *(p for every in whole.values() for p in every)]
    known = {p.chunk_id: found.get(p.chunk_id, p) for p in nearby}
    return Around(
        tuple(known.values()),
        {pk: [known[p.chunk_id] for p in every] for pk, every in whole.items()},
    )


def _whole(rows: "QuerySet[Chunk]") -> dict[UUID, list[Passage]]:
    if rows.order_by().values("pk")[: MOST_WHOLE + 1].count() > MOST_WHOLE:
        return {}
    length = rows.order_by().aggregate(length=Sum(Length("text")))["length"] or 0
    if length > LONGEST_WHOLE:
        return {}
    found = [passage_of(chunk) for chunk in rows]
    return {found[0].document_id: found} if len(found) > 1 else {}


def _near(
    rows: "QuerySet[Chunk]", visible: "QuerySet[Chunk]", passages: Sequence[Passage]
) -> list[Passage]:
    ids = [passage.chunk_id for passage in passages]
    places = list(visible.filter(pk__in=ids).order_by().values_list("document", "position"))
    if not places:
        return []
    reach = (
        Q(document=document, position__range=(position - REACH, position + REACH))
        for document, position in places
    )
    return [passage_of(chunk) for chunk in rows.filter(reduce(or_, reach))]


def passage_of(chunk: Chunk) -> Passage:
    """A passage that nobody searched for."""
    return Passage(
        chunk_id=chunk.pk,
        document_id=chunk.document_id,
        collection_id=chunk.collection_id,
        title=chunk.document.title,
        heading_path=tuple(chunk.heading_path),
        text=chunk.text,
        start=chunk.start,
        end=chunk.end,
        page=chunk.page,
        line=chunk.line,
        head=chunk.head,
        score=0.0,
    )
