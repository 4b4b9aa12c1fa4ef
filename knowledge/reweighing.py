"""Weighing a collection's passages again, when their average length has drifted."""

from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from knowledge.bm25 import Shape, Weights, from_sparsevec, to_sparsevec, weigh_again
from knowledge.term_statistics import (
    Statistics,
    lock_statistics,
    save_shape,
    save_statistics,
)

BATCH = 1_000

_Stored = tuple[UUID, int, Weights]


def reweigh_collection(
    collection_id: UUID, check: Callable[[], None] | None = None, shape: Shape | None = None
) -> int:
    """Weigh every passage against today's average length, in another shape if one is given; return
    how many there were."""
    done = 0
    with transaction.atomic(), connection.cursor() as cursor:
        statistics = lock_statistics(cursor, collection_id)
        was = statistics.shape
        if shape is not None:
            save_shape(cursor, collection_id, shape)
        if statistics.n <= 0:
            return 0
        average = statistics.sum_length / statistics.n
        for batch in _chunk_batches(collection_id):
            if check is not None:
                check()
            _update_weights(
                cursor, batch, statistics.average_length, average, was=was, becomes=shape or was
            )
            done += len(batch)
        renewed = Statistics(statistics.n, statistics.sum_length, average)
        save_statistics(cursor, collection_id, renewed)
    return done


def _chunk_batches(collection_id: UUID) -> Iterator[list[_Stored]]:
    """Id, length and weights of every passage, in the order of ids; memory stays small."""
    after = UUID(int=0)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "select id, length, bm25::text from knowledge_chunk"
                " where collection_id = %s and id > %s order by id limit %s",
                [collection_id, after, BATCH],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        after = rows[-1][0]
        yield [(row[0], row[1], from_sparsevec(row[2])) for row in rows]


def _update_weights(
    cursor: CursorWrapper,
    batch: Sequence[_Stored],
    old: float,
    new: float,
    *,
    was: Shape,
    becomes: Shape,
) -> None:
    weights = [
        to_sparsevec(weigh_again(found, length, old, new, was=was, becomes=becomes))
        for _, length, found in batch
    ]
    cursor.execute(
        "update knowledge_chunk set bm25 = fresh.bm25::sparsevec"
        " from unnest(%s::uuid[], %s::text[]) as fresh (id, bm25)"
        " where knowledge_chunk.id = fresh.id",
        [[chunk_id for chunk_id, _, _ in batch], weights],
    )
