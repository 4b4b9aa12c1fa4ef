"""Some passages of a document in place of others, with vectors and term statistics, as one.

Must be called in a transaction that holds the locks of `lock`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.db.models.functions import Now

from gateway.embedding.embedder import Vectors
from knowledge.curation.applying import Applied
from knowledge.curation.errors import EditConflict
from knowledge.curation.working_list import CHANGED, Working
from knowledge.errors import DocumentGone
from knowledge.models import Document, EmbeddingVersion
from knowledge.passage_rows import Removed, copy_chunks, copy_embeddings, to_row
from knowledge.term_statistics import Statistics, add_frequencies, lock_statistics, save_statistics

BUSY = "The document is being indexed. Edit it when that has ended."
SETTLED = (Document.Status.READY, Document.Status.FAILED)


@dataclass(frozen=True, slots=True)
class Found:
    """Vectors by the text of their passage, and of which version they are."""

    vectors: Mapping[str, Vectors]
    version: EmbeddingVersion


def lock(cursor: CursorWrapper, document: Document) -> Statistics:
    """The collection's statistics, then the document: everybody in this order.

    Raises `EditConflict` where the document is gone, or is being indexed.
    """
    try:
        statistics = lock_statistics(cursor, document.space_id)
    except DocumentGone:
        raise EditConflict(CHANGED) from None
    rows = Document.objects.select_for_update().filter(
        pk=document.pk, collection=document.collection_id, is_apart=document.is_apart
    )
    found = rows.values_list("version", "status").first()
    if found is None:
        raise EditConflict(CHANGED)
    document.version, status = found
    if status not in SETTLED:
        raise EditConflict(BUSY)
    return statistics


def swap(
    document: Document,
    statistics: Statistics,
    working: Working,
    applied: Applied,
    found: Found,
) -> list[UUID]:
    """Write what an edit changes; the ids of the new passages.

    Everything else stays as it is, but for its number where the list became longer or shorter.
    """
    kept = {id(item) for item in applied.items}
    gone = [n for n, item in enumerate(working.items) if id(item) not in kept]
    before = {id(item) for item in working.items}
    places = [n for n, item in enumerate(applied.items) if id(item) not in before]
    rows = [to_row(applied.items[n].draft, document.title) for n in places]
    with connection.cursor() as cursor:
        removed = _remove(cursor, [working.ids[n] for n in gone])
        _renumber(cursor, document, working, applied)
        length = sum(row.terms.length for row in rows)
        average = statistics.average_length or (length / len(rows) if rows else 0.0)
        copy_chunks(
            cursor, document, rows, average,
            shape=statistics.shape, positions=places, generation=document.version,
        )  # fmt: skip
        vectors = {
            n: found.vectors[row.draft.text]
            for n, row in enumerate(rows)
            if row.draft.text in found.vectors
        }
        copy_embeddings(document, rows, vectors, found.version)
        frequencies = Counter(term for row in rows for term in row.terms.counts)
        frequencies.subtract(removed.frequencies)
        add_frequencies(cursor, document.space_id, frequencies)
        count = statistics.n + len(rows) - removed.n
        total = statistics.sum_length + length - removed.length
        save_statistics(cursor, document.space_id, Statistics(count, total, average))
    Document.objects.filter(pk=document.pk).update(chunk_count=len(applied.items), updated_at=Now())
    return [row.id for row in rows]


def _remove(cursor: CursorWrapper, ids: Sequence[UUID]) -> Removed:
    cursor.execute(
        "select term, count(*) from knowledge_chunk, unnest(terms) as term"
        " where id = any(%s) group by term",
        [list(ids)],
    )
    frequencies = dict(cursor.fetchall())
    cursor.execute("delete from knowledge_embedding where chunk_id = any(%s)", [list(ids)])
    cursor.execute(
        "with gone as (delete from knowledge_chunk where id = any(%s) returning length)"
        " select count(*), coalesce(sum(length), 0) from gone",
        [list(ids)],
    )
    n, length = cursor.fetchone() or (0, 0)
    return Removed(n, length, frequencies)


def _renumber(
    cursor: CursorWrapper, document: Document, working: Working, applied: Applied
) -> None:
    """Passages behind the edit move together: by way of numbers that nobody else has."""
    now = {id(item): n for n, item in enumerate(applied.items)}
    moved = [(n, now[id(item)]) for n, item in enumerate(working.items) if id(item) in now]
    moved = [(old, new) for old, new in moved if old != new]
    if not moved:
        return
    first, by = moved[0][0], moved[0][1] - moved[0][0]
    assert all(new - old == by for old, new in moved)
    cursor.execute(
        "update knowledge_chunk set position = -1 - (position + %s)"
        " where document_id = %s and position >= %s",
        [by, document.pk, first],
    )
    cursor.execute(
        "update knowledge_chunk set position = -1 - position"
        " where document_id = %s and position < 0",
        [document.pk],
    )
