"""Vectors of passages: by the embedder that may see the document, none computed twice."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from accounts.payers import payer_of
from gateway.embedding.embedder import LOCAL_NAME, Embedder, Vectors, get_embedder
from gateway.labels import LabelUnmet
from knowledge.analyzer import is_cjk
from knowledge.chunking import index_text
from knowledge.extraction.reasons import ExtractionFailed
from knowledge.labels import embedding_demands
from knowledge.models import Document
from knowledge.types import ChunkDraft

# Texts embedded between two reports of progress.
EMBED_BATCH = 64


def embedder_for(document: Document, model: str) -> Embedder:
    """One that may see the document; the reason of its failure is what its reader is told."""
    try:
        if model == LOCAL_NAME:
            return get_embedder(model)
        demands = embedding_demands(model, [document.collection_id])
        payer = payer_of(document.added_by, "embedding")
        return get_embedder(model, demands, payer=payer, remember=False)
    except LabelUnmet as error:
        raise ExtractionFailed(str(error)) from error


def embed_drafts(
    embedder: Embedder,
    title: str,
    drafts: Sequence[ChunkDraft],
    report: Callable[[int, int], None],
    known: Mapping[str, Vectors] = MappingProxyType({}),
) -> dict[int, Vectors]:
    """A vector for each passage by its position, computed with the title path.

    What is `known` by its text is not computed again. An English-only embedder is not asked about
    Chinese passages: search never uses such vectors.
    """
    texts = {
        position: index_text(title, draft.heading_path, draft.text, draft.head, draft.context)
        for position, draft in enumerate(drafts)
        if embedder.is_multilingual or not is_cjk(draft.text)
    }
    # Long texts first: the threads of a batch then end together.
    vectors = {position: known[text] for position, text in texts.items() if text in known}
    order = sorted(texts.keys() - vectors, key=lambda position: -len(texts[position]))
    for start in range(0, len(order), EMBED_BATCH):
        batch = order[start : start + EMBED_BATCH]
        found = embedder.embed([texts[position] for position in batch])
        vectors.update(zip(batch, found, strict=True))
        report(start + len(batch), len(order))
    return vectors
