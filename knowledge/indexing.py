"""The search index of a document: its passages, vectors and term statistics, swapped as one.

Every function here is one transaction, or must be called inside one. Whoever writes to a
collection's index first locks its row of `lexical_statistics`.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from gateway.embedding.embedder import Vectors
from knowledge import kept
from knowledge.bm25 import has_drifted
from knowledge.curation.likeness import Likeness
from knowledge.document_versions.switching import switch
from knowledge.errors import DocumentGone, VersionReplaced
from knowledge.layout import pack
from knowledge.models import (
    Collection,
    Document,
    DocumentText,
    DocumentVersion,
    EmbeddingVersion,
    Figure,
)
from knowledge.passage_rows import Removed, copy_chunks, copy_embeddings, remove_chunks, to_row
from knowledge.term_statistics import Statistics, add_frequencies, lock_statistics, save_statistics
from knowledge.types import ChunkDraft, Extracted

STORED = (
    "text", "layout", "has_figures_read", "pages_without_text", "pages_by_ocr", "kept", "read_of",
    "reader",
)  # fmt: skip


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
    waiting: DocumentVersion | None = None  # whose content this is; None: of the document as it is
    read_of: str = ""  # the hash of the bytes that were read, and the version of the reader
    reader: str = ""
    text: str = ""  # as it is stored: words of curators stand behind the source's (`curation`)
    likeness: Likeness | None = None  # of that text


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
    rows = [to_row(draft, generation.title) for draft in generation.drafts]
    with transaction.atomic(), connection.cursor() as cursor:
        statistics = _lock(cursor, document)
        if check is not None:
            check()
        _check_version(cursor, generation.version)
        # A document's first generation replaces nothing.
        removed = remove_chunks(cursor, document.pk) if document.version else Removed(0, 0, {})
        length = sum(row.terms.length for row in rows)
        average = statistics.average_length or (length / len(rows) if rows else 0.0)
        copy_chunks(cursor, document, rows, average, shape=statistics.shape)
        copy_embeddings(document, rows, generation.vectors, generation.version)
        frequencies = Counter(term for row in rows for term in row.terms.counts)
        frequencies.subtract(removed.frequencies)
        add_frequencies(cursor, document.space_id, frequencies)
        statistics = Statistics(
            statistics.n + len(rows) - removed.n,
            statistics.sum_length + length - removed.length,
            average,
        )
        save_statistics(cursor, document.space_id, statistics)
        _save_document(document, generation)
        if finish is not None:
            finish(len(rows))
    return has_drifted(statistics.n, statistics.sum_length, statistics.average_length)


def leave_chunks(document: Document, check: Callable[[], None], finish: Callable[[], None]) -> None:
    """The document is ready with the passages it has; raises as `replace_chunks` does."""
    with transaction.atomic(), connection.cursor() as cursor:
        _lock(cursor, document)
        check()
        ready = {"status": Document.Status.READY, "reason": ""}
        Document.objects.filter(pk=document.pk).update(**ready)
        finish()


def remove_from_index(document: Document) -> None:
    """Delete the document's passages and their share of the statistics, in one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        try:
            statistics = _lock(cursor, document)
        except DocumentGone:
            return
        removed = remove_chunks(cursor, document.pk)
        negative = {term: -df for term, df in removed.frequencies.items()}
        add_frequencies(cursor, document.space_id, negative)
        left = statistics.n - removed.n
        average = statistics.average_length if left > 0 else 0.0
        remaining = Statistics(left, statistics.sum_length - removed.length, average)
        save_statistics(cursor, document.space_id, remaining)


def remove_collection(collection_id: UUID) -> None:
    """Delete every passage of a collection at once; its statistics go with its row.

    Must be called in a transaction. Far faster than letting each passage go on its own.
    """
    with connection.cursor() as cursor:
        lock_statistics(cursor, collection_id)
        parts = Collection.parts_apart.filter(part_of=collection_id).values_list("pk", flat=True)
        spaces = [collection_id, *parts]
        for table in ("knowledge_embedding", "knowledge_chunk", "term_df", "lexical_statistics"):
            cursor.execute(f"delete from {table} where collection_id = any(%s)", [spaces])  # noqa: S608


def _lock(cursor: CursorWrapper, document: Document) -> Statistics:
    """Lock first the statistics it counts in, then the document: everybody in this order."""
    cursor.execute("select is_apart from knowledge_document where id = %s", [document.pk])
    document.is_apart = (cursor.fetchone() or [False])[0]
    statistics = lock_statistics(cursor, document.space_id)
    cursor.execute(  # one that was deleted meanwhile may lie elsewhere (`discarding`)
        "select version, is_apart from knowledge_document"
        " where id = %s and collection_id = %s for update",
        [document.pk, document.collection_id],
    )
    row = cursor.fetchone()
    if row is None:
        raise DocumentGone(str(document.pk))
    document.version, is_apart = row
    if is_apart and not document.is_apart:  # since a moment ago; it never comes back
        document.is_apart = True
        statistics = lock_statistics(cursor, document.space_id)
    return statistics


def _check_version(cursor: CursorWrapper, version: EmbeddingVersion) -> None:
    """Hold the searched version still until the swap commits; a flip waits for us or we for it."""
    cursor.execute(
        "select is_active from knowledge_embeddingversion where id = %s for share", [version.pk]
    )
    row = cursor.fetchone()
    if row is None or not row[0]:
        raise VersionReplaced(version.model)


def _save_document(document: Document, generation: Generation) -> None:
    extracted = generation.extracted
    switch(document, generation.waiting, extracted)
    stored = DocumentText(
        document=document,
        text=generation.text or extracted.text,
        layout=pack(extracted),
        kept=kept.pack(extracted),
        read_of=generation.read_of,
        reader=generation.reader,
        pages_without_text=list(extracted.pages_without_text) or None,
        pages_by_ocr=list(extracted.pages_by_ocr) or None,
    )
    DocumentText.objects.bulk_create(
        [stored], update_conflicts=True, unique_fields=["document"], update_fields=STORED
    )
    if document.version:
        Figure.objects.filter(document=document, version=None).delete()
    Figure.objects.bulk_create(
        Figure(document=document, number=number, **asdict(drawn))
        for number, drawn in enumerate(extracted.figures, 1)
    )
    document.title = generation.title
    document.language = extracted.language
    document.page_count = extracted.page_count
    document.chunk_count = len(generation.drafts)
    document.invisible_count = extracted.invisible
    document.version += 1
    document.status = Document.Status.READY
    document.reason = ""
    fields = ["title", "language", "page_count", "chunk_count", "invisible_count", "version"]
    like = _set_likeness(document, generation.likeness)
    document.save(update_fields=[*fields, *like, "status", "reason", "updated_at"])


def _set_likeness(document: Document, likeness: Likeness | None) -> Sequence[str]:
    """The fields that say it; a text without words is like no other."""
    names = ("same_text", "like_a", "like_b", "like_c")
    numbers = (likeness.same, *likeness.like) if likeness else (None,) * len(names)
    for name, number in zip(names, numbers, strict=True):
        setattr(document, name, number)
    return names
