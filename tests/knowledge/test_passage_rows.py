"""`knowledge.passage_rows`: what is copied in, in Postgres' own binary form, is what was meant."""

import numpy as np
import pytest
from django.db import connection

from accounts.models import User
from knowledge import services
from knowledge.analyzer import term_id
from knowledge.bm25 import count_terms, from_sparsevec, weigh
from knowledge.indexing import Generation, replace_chunks
from knowledge.models import Chunk, Document
from knowledge.types import ChunkDraft, Extracted
from knowledge.versions import find_active_version
from tests.knowledge.files import as_stream

TEXTS = ["The kettle boils, and boils again.", "年假十五天", "of the and", "Ärger über Öl 😀"]


@pytest.mark.django_db(transaction=True)
def test_passages_and_their_terms_read_back_as_they_were(alice: User) -> None:
    collection = services.create_collection(alice, "Kitchen")
    document, _ = services.add_document(alice, collection, as_stream("x"), "x.txt")
    drafts, start = [], 0
    for number, text in enumerate(TEXTS):
        path = ("Heading", 'with "quotes", {braces}') if number else ()
        drafts.append(ChunkDraft(text, path, start, start + len(text), number or None, None, "a|b"))
        start += len(text)
    extracted = Extracted(title="", text="".join(TEXTS), blocks=(), language="en")
    vectors = dict.fromkeys(range(len(TEXTS)), np.eye(384, dtype=np.float32)[0])
    replace_chunks(document, Generation("", extracted, drafts, vectors, find_active_version()))

    rows = list(Chunk.objects.filter(document=document).order_by("position"))
    assert [row.text for row in rows] == TEXTS
    assert [row.heading_path for row in rows] == [list(draft.heading_path) for draft in drafts]
    assert [(row.page, row.line, row.head) for row in rows] == [
        (draft.page, draft.line, draft.head) for draft in drafts
    ]
    counts = [count_terms("\n".join(filter(None, [" › ".join(d.heading_path), "a|b", d.text])))
              for d in drafts]  # fmt: skip
    assert [row.terms for row in rows] == [sorted(found.counts) for found in counts]
    average = sum(found.length for found in counts) / len(counts)
    with connection.cursor() as cursor:
        cursor.execute("select bm25::text from knowledge_chunk order by position")
        stored = [from_sparsevec(text) for (text,) in cursor.fetchall()]
    for weights, found in zip(stored, counts, strict=True):
        assert weights == pytest.approx(weigh(found, average), rel=1e-6)
    assert term_id("kettl") in rows[0].terms


@pytest.mark.django_db(transaction=True)
def test_a_passage_without_a_single_term_is_stored(alice: User) -> None:
    collection = services.create_collection(alice, "Kitchen")
    document, _ = services.add_document(alice, collection, as_stream("x"), "x.txt")
    extracted = Extracted(title="", text="of the", blocks=(), language="en")
    draft = ChunkDraft("of the", (), 0, 6, None)
    replace_chunks(document, Generation("", extracted, [draft], {}, find_active_version()))
    stored = Chunk.objects.get(document=document)
    assert (stored.terms, stored.length) == ([], 0)
    assert Document.objects.get(pk=document.pk).chunk_count == 1


@pytest.mark.django_db
def test_new_terms_wait_in_a_short_list_and_go_into_the_index_together() -> None:
    with connection.cursor() as cursor:
        cursor.execute("select reloptions from pg_class where relname = 'chunk_terms'")
        (options,) = cursor.fetchone()
    assert set(options) == {"fastupdate=on", "gin_pending_list_limit=512"}
