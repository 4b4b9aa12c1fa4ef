"""Vectors of passages: by the embedder that may see the document, none computed twice."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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
AHEAD = 2  # batches on their way in the embedded model, so that no core waits for another


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
    batches = [order[start : start + EMBED_BATCH] for start in range(0, len(order), EMBED_BATCH)]
    found = _embedded(embedder, [[texts[position] for position in batch] for batch in batches])
    done = 0
    for batch, rows in zip(batches, found, strict=True):
        vectors.update(zip(batch, rows, strict=True))
        done += len(batch)
        report(done, len(order))
    return vectors


def _embedded(embedder: Embedder, batches: Sequence[list[str]]) -> Iterator[Vectors]:
    """The rows of each batch. While one is reported the embedded model is at work on the next."""
    if embedder.name != LOCAL_NAME:
        yield from map(embedder.embed, batches)
        return
    with ThreadPoolExecutor(AHEAD) as threads:
        ahead: deque[Future[Vectors]] = deque()
        try:
            for texts in batches:
                ahead.append(threads.submit(embedder.embed, texts))
                if len(ahead) > AHEAD:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for batch in ahead:
                batch.cancel()
