"""A collection's term statistics: how many passages, how long, and which terms they hold.

Whoever writes to a collection's index first locks its row of `lexical_statistics`, and keeps it
locked until the end of the transaction that every function here must be called in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError
from django.db.backends.utils import CursorWrapper

from knowledge.bm25 import HOUSE, K1, B, Shape
from knowledge.errors import DocumentGone

LOCK = """
select n, sum_length, avgdl_frozen, k1, b from lexical_statistics
where collection_id = %s for update
"""


@dataclass(frozen=True, slots=True)
class Statistics:
    """A collection's passages: how many, their length in terms, the average used for weights, and
    in which shape they are weighed."""

    n: int
    sum_length: int
    average_length: float
    shape: Shape = HOUSE


def lock_statistics(cursor: CursorWrapper, collection_id: UUID) -> Statistics:
    """Raises `DocumentGone` when the collection was deleted."""
    cursor.execute(LOCK, [collection_id])
    row = cursor.fetchone()
    if row is None:
        try:
            cursor.execute(
                "insert into lexical_statistics (collection_id)"
                " select id from knowledge_collection where id = %s on conflict do nothing",
                [collection_id],
            )
        except IntegrityError as error:  # it went while we waited for its row
            raise DocumentGone(str(collection_id)) from error
        cursor.execute(LOCK, [collection_id])
        row = cursor.fetchone()
    if row is None:
        raise DocumentGone(str(collection_id))
    n, length, average, k1, b = row
    return Statistics(n, length, average, Shape(K1 if k1 is None else k1, B if b is None else b))


def save_statistics(cursor: CursorWrapper, collection_id: UUID, found: Statistics) -> None:
    cursor.execute(
        "update lexical_statistics set n = %s, sum_length = %s, avgdl_frozen = %s"
        " where collection_id = %s",
        [found.n, found.sum_length, found.average_length, collection_id],
    )


def save_shape(cursor: CursorWrapper, collection_id: UUID, shape: Shape) -> None:
    """From now on passages are weighed so; those that are there already, by `reweighing`."""
    own = (None, None) if shape == HOUSE else (shape.k1, shape.b)
    cursor.execute(
        "update lexical_statistics set k1 = %s, b = %s where collection_id = %s",
        [*own, collection_id],
    )


def add_frequencies(cursor: CursorWrapper, collection_id: UUID, changes: Mapping[int, int]) -> None:
    """Add to the document frequencies, sorted by term: unsorted batches can deadlock."""
    terms = sorted(term for term, change in changes.items() if change)
    if not terms:
        return
    cursor.execute(
        """
        insert into term_df (collection_id, term, df)
        select %s, term, change from unnest(%s::int[], %s::int[]) as changes (term, change)
        order by term
        on conflict (collection_id, term) do update set df = term_df.df + excluded.df
        """,
        [collection_id, terms, [changes[term] for term in terms]],
    )
    fewer = [term for term in terms if changes[term] < 0]
    if not fewer:
        return
    cursor.execute(
        "delete from term_df where collection_id = %s and term = any(%s::int[]) and df <= 0",
        [collection_id, fewer],
    )
