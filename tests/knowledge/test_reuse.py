"""`knowledge.reuse`: the same words of the same document are embedded once."""

from collections.abc import Sequence

import pytest

from gateway.embedding.local import LocalEmbedder, Vectors
from knowledge import services, storage
from knowledge.models import Collection, Embedding
from knowledge.reuse import known_vectors
from knowledge.versions import find_active_version
from tests.knowledge.conftest import AddText, run_job

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = "# Leave\n\nEvery employee has 25 days of leave.\n\n# Travel\n\nTrains are preferred."


def vectors_of(document):
    rows = Embedding.objects.filter(chunk__document=document)
    return {row.chunk.text: list(row.vector) for row in rows.select_related("chunk")}


def test_indexed_again_only_what_is_new_is_embedded(
    handbook: Collection, add_text: AddText, monkeypatch
) -> None:
    document = add_text(handbook, TEXT)
    before = vectors_of(document)
    sent: list[str] = []
    embed = LocalEmbedder.embed

    def noting(embedder: LocalEmbedder, texts: Sequence[str]) -> Vectors:
        sent.extend(texts)
        return embed(embedder, texts)

    monkeypatch.setattr(LocalEmbedder, "embed", noting)
    services.reindex_document(document)
    run_job(document)
    assert document.version == 2
    assert sent == []
    assert vectors_of(document) == before
    path = storage.path_of(document.pk)
    path.write_text(TEXT.replace("Trains are", "The night train is"))
    services.reindex_document(document)
    run_job(document)
    assert len(sent) == 1
    assert all("night train" in text for text in sent)


def test_only_of_the_same_document_and_model(handbook: Collection, add_text: AddText) -> None:
    version = find_active_version()
    document, other = add_text(handbook, TEXT, "a.txt"), add_text(handbook, TEXT + "!", "b.txt")
    assert len(known_vectors(document, version)) == document.chunk_count
    version.pk += 1
    assert known_vectors(other, version) == {}
