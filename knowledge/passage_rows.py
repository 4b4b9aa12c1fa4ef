"""A document's passages and vectors as rows: copied in, taken out; the caller holds the locks."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.db import connection
from django.db.backends.utils import CursorWrapper
from pgvector import HalfVector, Vector
from pgvector.psycopg import register_vector

from gateway.embedding.embedder import Vectors
from knowledge.analyzer import is_cjk
from knowledge.bm25 import HOUSE, Shape, TermCounts, count_terms, pack_sparsevec, weigh
from knowledge.chunking import index_text
from knowledge.embeddings.storages import FLOAT, column_of
from knowledge.languages import guess_language
from knowledge.models import Chunk, Document, EmbeddingVersion
from knowledge.types import ChunkDraft
from security.ids import new_id

INT4 = 23  # Postgres' number of the type
# Of the columns in their order; the last two are packed already, and a row of COPY names no types.
CHUNK_TYPES = (
    "uuid", "uuid", "uuid", "int4", "int4", "text", "text[]", "int4", "int4", "int4", "int4",
    "text", "text", "text", "uuid", "text", "int4", "bytea", "bytea",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A passage with its id and its terms, ready to be stored."""

    id: UUID
    draft: ChunkDraft
    terms: TermCounts
    script: str


@dataclass(frozen=True, slots=True)
class Removed:
    """What a document's passages were: how many, their length, the terms they held."""

    n: int
    length: int
    frequencies: dict[int, int]


def remove_chunks(cursor: CursorWrapper, document_id: UUID) -> Removed:
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
    return Removed(n, length, frequencies)


def to_row(draft: ChunkDraft, title: str) -> Row:
    whole = index_text(title, draft.heading_path, draft.text, draft.head, draft.context)
    terms = count_terms(whole)
    script = Chunk.Script.CJK if is_cjk(draft.text) else Chunk.Script.LATIN
    return Row(new_id(), draft, terms, script.value)


def copy_chunks(
    cursor: CursorWrapper,
    document: Document,
    rows: Sequence[Row],
    average: float,
    *,
    shape: Shape = HOUSE,
    positions: Sequence[int] | None = None,
    generation: int | None = None,
) -> None:
    """As the next generation of the document from its first position on, where nothing else is
    said.

    In binary, terms and weights packed here: writing them as text and reading that took longer
    than finding the terms.
    """
    statement = (
        "copy knowledge_chunk (id, document_id, collection_id, version, position, text,"
        ' heading_path, start, "end", page, line, head, language, context, piece_id, script,'
        " length, terms, bm25) from stdin (format binary)"
    )
    with cursor.copy(statement) as copy:
        copy.set_types(CHUNK_TYPES)
        for position, row in zip(positions or range(len(rows)), rows, strict=True):
            draft = row.draft
            copy.write_row(
                (
                    row.id,
                    document.pk,
                    document.space_id,
                    document.version + 1 if generation is None else generation,
                    position,
                    draft.text,
                    list(draft.heading_path),
                    draft.start,
                    draft.end,
                    draft.page,
                    draft.line,
                    draft.head,
                    guess_language(draft.text),
                    draft.context,
                    draft.piece_id,
                    row.script,
                    row.terms.length,
                    pack_integers(sorted(row.terms.counts)),
                    pack_sparsevec(weigh(row.terms, average, shape)),
                )
            )


def pack_integers(numbers: Sequence[int]) -> bytes:
    """Postgres' binary form of an `int[]`, which for an empty one has no dimension."""
    if not numbers:
        return struct.pack(">iii", 0, 0, INT4)
    each = np.empty((len(numbers), 2), ">i4")
    each[:, 0], each[:, 1] = 4, numbers  # its length in bytes, then itself
    return struct.pack(">iiiii", 1, 0, INT4, len(numbers), 1) + each.tobytes()


def copy_embeddings(
    document: Document,
    rows: Sequence[Row],
    vectors: Mapping[int, Vectors],
    version: EmbeddingVersion,
) -> None:
    """Vectors go in binary: their text form is four times longer and slow to write."""
    _register_vectors()
    form, kind = (Vector, "vector") if version.storage == FLOAT else (HalfVector, "halfvec")
    statement = (
        "copy knowledge_embedding (chunk_id, version_id, collection_id, script,"
        f" {column_of(version.storage)}) from stdin (format binary)"
    )
    # A new cursor: it knows the types that its connection knew when it was made.
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(["uuid", "int2", "uuid", "varchar", kind])
        for position, vector in vectors.items():
            row = rows[position]
            copy.write_row(
                (
                    row.id,
                    version.pk,
                    document.space_id,
                    row.script,
                    form(vector),
                )
            )


def _register_vectors() -> None:
    """Teach this connection pgvector's types, once in its life."""
    raw = connection.connection
    if raw.adapters.types.get("halfvec") is None:
        register_vector(raw)
