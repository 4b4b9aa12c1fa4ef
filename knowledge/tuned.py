"""How a collection is searched where a person applied tuned weights; see `quality.tuning`.

Every search asks, so all of them are remembered in the process for two seconds: there are few, and
none where nobody ever tuned. k1 and b are no part of it: passages are stored as weighed by them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from knowledge.analyzer import is_cjk
from knowledge.models import SearchWeights
from observability.remembered import Remembered

RERANK_DEPTH = 30  # passages that are put in a better order, where nothing else was tuned


@dataclass(frozen=True, slots=True)
class Tuned:
    """What is None is the house's own; the first two were measured with vectors of `embedder`."""

    dense: float | None = None
    threshold: float | None = None
    rerank_depth: int | None = None
    embedder: str = ""

    def with_vectors_of(self, embedder: str) -> "Tuned":
        """How much another model's vectors count, and how near they lie, was not measured."""
        if self.embedder in ("", embedder):
            return self
        return replace(self, dense=None, threshold=None)


UNTUNED = Tuned()
Known = Mapping[tuple[UUID, str], Tuned]


def tuned_for(collections: Sequence[UUID] | None, question: str) -> Tuned:
    """For a question in its script: the weights of the one collection that is searched.

    Several have one order of passages together and no weights in common: they, and everything that
    a person may see, are searched as the house does it.
    """
    known = _remembered.get_now()
    if not known or collections is None or len(set(collections)) != 1:
        return UNTUNED
    return known.get((collections[0], "cjk" if is_cjk(question) else "latin"), UNTUNED)


def rerank_depth_of(collections: Sequence[UUID] | None, question: str) -> int:
    """How many of the found passages a reranker reads, where one is switched on; 0 where it was
    measured not to pay."""
    depth = tuned_for(collections, question).rerank_depth
    return RERANK_DEPTH if depth is None else depth


def forget() -> None:
    """In this process, after a change; others hear of it within two seconds."""
    _remembered.forget()


def _read() -> Known:
    rows = SearchWeights.objects.values_list(
        "collection_id", "script", "dense", "threshold", "rerank_depth", "embedder"
    )
    return {(row[0], row[1]): Tuned(*row[2:]) for row in rows}


_remembered = Remembered(_read)
