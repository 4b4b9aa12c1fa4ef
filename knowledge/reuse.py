"""Indexed again, a document takes over the vectors of passages that are still the same."""

import numpy as np

from gateway.embedding.embedder import Vectors
from knowledge.chunking import index_text
from knowledge.embeddings.storages import column_of
from knowledge.models import Document, Embedding, EmbeddingVersion


def known_vectors(document: Document, version: EmbeddingVersion) -> dict[str, Vectors]:
    """Of this model, by the text they were computed of; only the document's own.

    Nothing is asked of the database where there cannot be any.
    """
    if not document.version:
        return {}
    rows = Embedding.objects.filter(chunk__document=document, version=version).values_list(
        "chunk__heading_path",
        "chunk__text",
        "chunk__head",
        "chunk__context",
        column_of(version.storage),
    )
    return {
        index_text(document.title, path, text, head, context): np.asarray(vector, np.float32)
        for path, text, head, context, vector in rows
    }
