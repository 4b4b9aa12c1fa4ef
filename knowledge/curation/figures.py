"""What stands beside passages in a list: their size, and for curators how often they are cited."""

from collections.abc import Sequence

from gateway.embedding.local import count_pieces
from knowledge.curation.cited import count_citations
from knowledge.models import Chunk, Document


def add_figures(document: Document, passages: Sequence[Chunk], *, with_citations: bool) -> None:
    """Each gets `tokens`; `cited` is None for those who are not told. Not under the second lock:
    answers beyond one's own are counted."""
    spans = [(passage.start, passage.end) for passage in passages]
    counts = count_citations(document.pk, spans) if with_citations else [None] * len(spans)
    for passage, cited in zip(passages, counts, strict=True):
        passage.tokens = count_pieces(passage.text)  # type: ignore[attr-defined]
        passage.cited = cited  # type: ignore[attr-defined]
