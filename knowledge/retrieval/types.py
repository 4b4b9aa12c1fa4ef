"""The values of a search. No Django here."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import log
from uuid import UUID

SMALLEST_MEASURED, LARGEST_MEASURED = 90, 2_400  # passages


class Way(StrEnum):
    """How a query came to be from what a person asked."""

    ORIGINAL = "original"
    STANDALONE = "standalone"  # a follow-up that says again what it is about
    REWRITE = "rewrite"
    HYPOTHETICAL = "hypothetical"  # a passage that could be the answer (HyDE, Gao 2022)
    PART = "part"  # of a question that asks several things
    STEP_BACK = "step_back"  # the more general question behind it (Zheng 2023)
    TRANSLATION = "translation"
    GLOSSARY = "glossary"  # in the other words of the collections' glossaries


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for; its passages count `weight` times in the fusion of all queries."""

    text: str
    way: Way = Way.ORIGINAL
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Filters:
    """Narrows a search beyond permission, which it can never widen; None narrows nothing.

    `file_types` are the short names of `knowledge.file_types`, `languages` codes as documents have
    them; `from_` is included, `until` is not.
    """

    documents: tuple[UUID, ...] | None = None
    sources: tuple[UUID, ...] | None = None
    file_types: tuple[str, ...] | None = None
    languages: tuple[str, ...] | None = None
    from_: datetime | None = None
    until: datetime | None = None


NO_FILTERS = Filters()


@dataclass(frozen=True, slots=True)
class Least:
    """The likeness from which a passage may answer a question (`thresholds`).

    Of many passages one has half of any question's words by chance, of few none: so it grows
    `by_size`, with the logarithm of their number, as far as that was measured. `base` is a cosine
    that any two texts have by the embedder: what is above it counts.
    """

    value: float = 0.0
    by_size: float = 0.0
    base: float = 0.0

    def among(self, passages: int) -> float:
        size = min(max(passages, SMALLEST_MEASURED), LARGEST_MEASURED)
        return self.value + self.by_size * log(size)


class Drop(StrEnum):
    """Why a candidate was not shown to the model."""

    THRESHOLD = "threshold"  # too little resemblance to the question
    DUPLICATE = "duplicate"  # it says what a better one says already
    BUDGET = "budget"  # no room for it
    DIVERSITY = "diversity"  # others tell more that is new
    LIMIT = "limit"  # as many as were wanted are better
    RULE = "rule"  # a guardrail keeps it from the model


@dataclass(frozen=True, slots=True)
class StageRank:
    """Where a candidate stood after one stage, the first by 1, and with which score.

    Stages are `lexical` and `dense` of each query, `query` (both together), `fused` (all queries)
    and `reranked`; `query` is the number of the query, None where all are one.
    """

    stage: str
    rank: int
    score: float
    query: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that was looked at: how it fared, and why it was left out, if it was."""

    chunk_id: UUID
    document_id: UUID
    stages: tuple[StageRank, ...] = ()
    dropped: Drop | None = None
