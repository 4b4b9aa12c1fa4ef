"""A document's passages from under its collection to under an id of its own; never back."""

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from knowledge.errors import DocumentGone
from knowledge.models import Collection, Document, known_parts
from knowledge.term_statistics import (
    Statistics,
    add_frequencies,
    lock_statistics,
    save_shape,
    save_statistics,
)


def set_apart(document: Document) -> None:
    """From now on the document has readers of its own, as many as before; twice is once.

    One transaction, in which every passage of it is written anew: some milliseconds each. Raises
    `DocumentGone`.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        # In the order of everybody who writes to the index: statistics, then the document. Between
        # them the collection, whose owner and labels are the part's from the first moment on.
        statistics = lock_statistics(cursor, document.collection_id)
        row = Collection.objects.select_for_update(no_key=True)
        home = row.filter(pk=document.collection_id).first()
        here = Document.objects.filter(pk=document.pk, collection=document.collection_id)
        locked: Document | None = here.select_for_update(of=("self",)).first()
        if locked is None or home is None:
            raise DocumentGone(str(document.pk))
        document.is_apart = True
        if locked.is_apart:
            return
        Collection.objects.create(
            id=locked.pk,
            owner_id=home.owner_id,
            name=locked.title[:120],  # all that whoever has the document alone knows of it
            part_of=home,
            required_labels=home.required_labels,
        )
        _move_passages(cursor, locked, statistics)
        Document.objects.filter(pk=locked.pk).update(is_apart=True)
        known_parts.note()


def _move_passages(cursor: CursorWrapper, document: Document, whole: Statistics) -> None:
    """Weighed as they were: with the collection's average length and shape."""
    home, part = document.collection_id, document.pk
    cursor.execute(
        "select term, count(*) from knowledge_chunk, unnest(terms) as term"
        " where document_id = %s group by term",
        [part],
    )
    frequencies = dict(cursor.fetchall())
    cursor.execute(
        "with moved as (update knowledge_chunk set collection_id = %s where document_id = %s"
        " returning length) select count(*), coalesce(sum(length), 0) from moved",
        [part, part],
    )
    n, length = cursor.fetchone() or (0, 0)
    cursor.execute(
        "update knowledge_embedding set collection_id = %s"
        " where chunk_id in (select id from knowledge_chunk where document_id = %s)",
        [part, part],
    )
    lock_statistics(cursor, part)
    average = whole.average_length if n else 0.0
    save_statistics(cursor, part, Statistics(n, length, average))
    save_shape(cursor, part, whole.shape)
    add_frequencies(cursor, part, frequencies)
    left = Statistics(
        whole.n - n, whole.sum_length - length, whole.average_length if whole.n > n else 0.0
    )
    save_statistics(cursor, home, left)
    add_frequencies(cursor, home, {term: -count for term, count in frequencies.items()})
