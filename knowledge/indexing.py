"""The search index of a document: its passages, vectors and term statistics, swapped as one.

Every function here is one transaction, or must be called inside one. Whoever writes to a
collection's index first locks its row of `lexical_statistics`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from pgvector import HalfVector
from pgvector.psycopg import register_vector

from gateway.embedder import Vectors
from knowledge.analyzer import is_cjk
from knowledge.bm25 import (
    TermCounts,
    Weights,
    count_terms,
    from_sparsevec,
    has_drifted,
    to_sparsevec,
    weigh,
    weigh_again,
)
from knowledge.chunking import index_text
from knowledge.errors import DocumentGone, VersionReplaced
from knowledge.models import Chunk, Document, DocumentText, EmbeddingVersion
from knowledge.types import ChunkDraft, Extracted
from security.ids import new_id

REWEIGH_BATCH = 1_000
LOCK_STATISTICS = """
select n, sum_length, avgdl_frozen from lexical_statistics where collection_id = %s for update
"""


@dataclass(frozen=True, slots=True)
class Generation:
    """Everything a document's index will hold; `vectors` are by the position of their draft.

    A draft without a vector is found by its words alone.
    """

    title: str
    extracted: Extracted
    drafts: Sequence[ChunkDraft]
    vectors: Mapping[int, Vectors]
    version: EmbeddingVersion


@dataclass(frozen=True, slots=True)
class Statistics:
    """A collection's passages: how many, their length in terms, the average used for weights."""

    n: int
    sum_length: int
    average_length: float


@dataclass(frozen=True, slots=True)
class _Row:
    id: UUID
    draft: ChunkDraft
    terms: TermCounts
    script: str


def replace_chunks(
    document: Document,
    generation: Generation,
    check: Callable[[], None] | None = None,
    finish: Callable[[int], None] | None = None,
) -> bool:
    """Swap the document's whole index in one transaction; a reader sees the old or the new one.

    `check` is called while the document is locked, and aborts everything by raising; `finish` just
    before the commit, with the number of passages. Returns whether the collection's average
    passage length has drifted so far that it should be weighed again. Raises `DocumentGone` when
    the document was deleted meanwhile, `VersionReplaced` when the embedding model was changed.
    """
    # Analysed before the locks are taken: it is the slow part.
    rows = [_to_row(draft, generation.title) for draft in generation.drafts]
    with transaction.atomic(), connection.cursor() as cursor:
        statistics = _lock(cursor, document)
        if check is not None:
            check()
        _check_version(cursor, generation.version)
        # A document's first generation replaces nothing.
        removed = _remove_chunks(cursor, document.pk) if document.version else _Removed(0, 0, {})
        length = sum(row.terms.length for row in rows)
        average = statistics.average_length or (length / len(rows) if rows else 0.0)
        _copy_chunks(cursor, document, rows, average)
        _copy_embeddings(document, rows, generation)
        frequencies = Counter(term for row in rows for term in row.terms.counts)
        frequencies.subtract(removed.frequencies)
        _add_frequencies(cursor, document.collection_id, frequencies)
        statistics = Statistics(
            statistics.n + len(rows) - removed.n,
            statistics.sum_length + length - removed.length,
            average,
        )
        _save_statistics(cursor, document.collection_id, statistics)
        _save_document(document, generation)
        if finish is not None:
            finish(len(rows))
    return has_drifted(statistics.n, statistics.sum_length, statistics.average_length)


def remove_from_index(document: Document) -> None:
    """Delete the document's passages and their share of the statistics, in one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        try:
            statistics = _lock(cursor, document)
        except DocumentGone:
            return
        removed = _remove_chunks(cursor, document.pk)
        negative = {term: -df for term, df in removed.frequencies.items()}
        _add_frequencies(cursor, document.collection_id, negative)
        left = statistics.n - removed.n
        average = statistics.average_length if left > 0 else 0.0
        remaining = Statistics(left, statistics.sum_length - removed.length, average)
        _save_statistics(cursor, document.collection_id, remaining)


def remove_collection(collection_id: UUID) -> None:
    """Delete every passage of a collection at once; its statistics go with its row.

    Must be called in a transaction. Far faster than letting each passage go on its own.
    """
    with connection.cursor() as cursor:
        _lock_statistics(cursor, collection_id)
        for table in ("knowledge_embedding", "knowledge_chunk", "term_df", "lexical_statistics"):
            cursor.execute(f"delete from {table} where collection_id = %s", [collection_id])  # noqa: S608


def reweigh_collection(collection_id: UUID, check: Callable[[], None] | None = None) -> int:
    """Weigh every passage against today's average length; return how many there were."""
    done = 0
    with transaction.atomic(), connection.cursor() as cursor:
        statistics = _lock_statistics(cursor, collection_id)
        if statistics.n <= 0:
            return 0
        average = statistics.sum_length / statistics.n
        for batch in _chunk_batches(collection_id):
            if check is not None:
                check()
            _update_weights(cursor, batch, statistics.average_length, average)
            done += len(batch)
        renewed = Statistics(statistics.n, statistics.sum_length, average)
        _save_statistics(cursor, collection_id, renewed)
    return done


# -- Locks and statistics --------------------------------------------------------------------------


def _lock(cursor: CursorWrapper, document: Document) -> Statistics:
    """Lock first the collection's statistics, then the document: everybody in this order."""
    statistics = _lock_statistics(cursor, document.collection_id)
    cursor.execute("select version from knowledge_document where id = %s for update", [document.pk])
    row = cursor.fetchone()
    if row is None:
        raise DocumentGone(str(document.pk))
    document.version = row[0]
    return statistics


def _check_version(cursor: CursorWrapper, version: EmbeddingVersion) -> None:
    """Hold the searched version still until the swap commits; a flip waits for us or we for it."""
    cursor.execute(
        "select is_active from knowledge_embeddingversion where id = %s for share", [version.pk]
    )
    row = cursor.fetchone()
    if row is None or not row[0]:
        raise VersionReplaced(version.model)


def _lock_statistics(cursor: CursorWrapper, collection_id: UUID) -> Statistics:
    cursor.execute(LOCK_STATISTICS, [collection_id])
    row = cursor.fetchone()
    if row is None:
        cursor.execute(
            "insert into lexical_statistics (collection_id)"
            " select id from knowledge_collection where id = %s on conflict do nothing",
            [collection_id],
        )
        cursor.execute(LOCK_STATISTICS, [collection_id])
        row = cursor.fetchone()
    if row is None:
        raise DocumentGone(str(collection_id))
    return Statistics(*row)


def _save_statistics(cursor: CursorWrapper, collection_id: UUID, found: Statistics) -> None:
    cursor.execute(
        "update lexical_statistics set n = %s, sum_length = %s, avgdl_frozen = %s"
        " where collection_id = %s",
        [found.n, found.sum_length, found.average_length, collection_id],
    )


def _add_frequencies(
    cursor: CursorWrapper, collection_id: UUID, changes: Mapping[int, int]
) -> None:
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


# -- Passages --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Removed:
    n: int
    length: int
    frequencies: dict[int, int]


def _remove_chunks(cursor: CursorWrapper, document_id: UUID) -> _Removed:
    cursor.execute(
        "select term, count(*) from knowledge_chunk, unnest(terms) as term"
        " where document_id = %s group by term",
        [document_id],
    )
    frequencies = dict(cursor.fetchall())
    cursor.execute(
        "delete from knowledge_embedding where chunk_id in"
        " (select id from knowledge_chunk where document_id = %s)",
        [document_id],
    )
    cursor.execute(
        "with gone as (delete from knowledge_chunk where document_id = %s returning length)"
        " select count(*), coalesce(sum(length), 0) from gone",
        [document_id],
    )
    n, length = cursor.fetchone() or (0, 0)
    return _Removed(n, length, frequencies)


def _to_row(draft: ChunkDraft, title: str) -> _Row:
    terms = count_terms(index_text(title, draft.heading_path, draft.text))
    script = Chunk.Script.CJK if is_cjk(draft.text) else Chunk.Script.LATIN
    return _Row(new_id(), draft, terms, script.value)


def _copy_chunks(
    cursor: CursorWrapper, document: Document, rows: Sequence[_Row], average: float
) -> None:
    statement = (
        "copy knowledge_chunk (id, document_id, collection_id, version, position, text,"
        ' heading_path, start, "end", page, script, length, terms, bm25) from stdin'
    )
    with cursor.copy(statement) as copy:
        for position, row in enumerate(rows):
            draft = row.draft
            copy.write_row(
                (
                    row.id,
                    document.pk,
                    document.collection_id,
                    document.version + 1,
                    position,
                    draft.text,
                    list(draft.heading_path),
                    draft.start,
                    draft.end,
                    draft.page,
                    row.script,
                    row.terms.length,
                    sorted(row.terms.counts),
                    to_sparsevec(weigh(row.terms, average)),
                )
            )


def _copy_embeddings(document: Document, rows: Sequence[_Row], generation: Generation) -> None:
    """Vectors go in binary: their text form is four times longer and slow to write."""
    _register_vectors()
    statement = (
        "copy knowledge_embedding (chunk_id, version_id, collection_id, script, vector)"
        " from stdin (format binary)"
    )
    # A new cursor: it knows the types that its connection knew when it was made.
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(["uuid", "int2", "uuid", "varchar", "halfvec"])
        for position, vector in generation.vectors.items():
            row = rows[position]
            copy.write_row(
                (
                    row.id,
                    generation.version.pk,
                    document.collection_id,
                    row.script,
                    HalfVector(vector),
                )
            )


def _register_vectors() -> None:
    """Teach this connection pgvector's types, once in its life."""
    raw = connection.connection
    if raw.adapters.types.get("halfvec") is None:
        register_vector(raw)


def _save_document(document: Document, generation: Generation) -> None:
    extracted = generation.extracted
    DocumentText.objects.bulk_create(
        [DocumentText(document=document, text=extracted.text)],
        update_conflicts=True, unique_fields=["document"], update_fields=["text"],
    )  # fmt: skip
    document.title = generation.title
    document.language = extracted.language
    document.page_count = extracted.page_count
    document.chunk_count = len(generation.drafts)
    document.version += 1
    document.status = Document.Status.READY
    document.reason = ""
    fields = ["title", "language", "page_count", "chunk_count", "version", "status", "reason"]
    document.save(update_fields=[*fields, "updated_at"])


# -- Weighing again --------------------------------------------------------------------------------

_Stored = tuple[UUID, int, Weights]


def _chunk_batches(collection_id: UUID) -> Iterator[list[_Stored]]:
    """Id, length and weights of every passage, in the order of ids; memory stays small."""
    after = UUID(int=0)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "select id, length, bm25::text from knowledge_chunk"
                " where collection_id = %s and id > %s order by id limit %s",
                [collection_id, after, REWEIGH_BATCH],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        after = rows[-1][0]
        yield [(row[0], row[1], from_sparsevec(row[2])) for row in rows]


def _update_weights(
    cursor: CursorWrapper, batch: Sequence[_Stored], old: float, new: float
) -> None:
    weights = [to_sparsevec(weigh_again(found, length, old, new)) for _, length, found in batch]
    cursor.execute(
        "update knowledge_chunk set bm25 = fresh.bm25::sparsevec"
        " from unnest(%s::uuid[], %s::text[]) as fresh (id, bm25)"
        " where knowledge_chunk.id = fresh.id",
        [[chunk_id for chunk_id, _, _ in batch], weights],
    )
