"""BM25 split in two: term weights are stored with the passage, IDF comes with the query.

`weight(passage) · idf(query)` is exact BM25 (Robertson & Zaragoza 2009, k1 1.2, b 0.75), so adding
a passage changes no other one. Only the average length is frozen per collection.
"""

import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import log

from knowledge.analyzer import TERM_SPACE, analyze, term_id

K1 = 1.2
B = 0.75
# A passage's average may leave the frozen one by this share before the collection is weighed again.
LARGEST_DRIFT = 0.2

Weights = dict[int, float]


@dataclass(frozen=True, slots=True)
class Shape:
    """How fast repeats of a term stop counting (`k1`), and how much length is held against a
    passage (`b`)."""

    k1: float = K1
    b: float = B


HOUSE = Shape()


@dataclass(frozen=True, slots=True)
class TermCounts:
    """The terms of a passage: id → how often; `length` counts repeats."""

    counts: Mapping[int, int]
    length: int


def count_terms(text: str) -> TermCounts:
    counts = Counter(map(term_id, analyze(text)))
    return TermCounts(counts, counts.total())


def weigh(found: TermCounts, average_length: float, shape: Shape = HOUSE) -> Weights:
    """The passage's half of BM25 for each of its terms: between 0 and k1 + 1."""
    norm = _norm(found.length, average_length, shape)
    return {term: tf * (shape.k1 + 1) / (tf + norm) for term, tf in found.counts.items()}


def weigh_again(
    weights: Mapping[int, float],
    length: int,
    old: float,
    new: float,
    *,
    was: Shape = HOUSE,
    becomes: Shape | None = None,
) -> Weights:
    """The same passage against another average length or in another shape, without its text."""
    becomes = becomes or was
    old_norm, new_norm = _norm(length, old, was), _norm(length, new, becomes)
    counts = {term: round(w * old_norm / (was.k1 + 1 - w)) for term, w in weights.items()}
    return {term: tf * (becomes.k1 + 1) / (tf + new_norm) for term, tf in counts.items()}


def _norm(length: int, average_length: float, shape: Shape) -> float:
    return shape.k1 * (1 - shape.b + shape.b * length / (average_length or 1.0))


def idf(n: int, df: int) -> float:
    """The query's half: never negative, also for a term in most passages."""
    return log(1 + (n - df + 0.5) / (df + 0.5))


def weigh_query(counts: Mapping[int, int], frequencies: Mapping[int, int], n: int) -> Weights:
    """IDF times its count for each query term that some passage has."""
    return {
        term: qtf * idf(n, frequencies[term]) for term, qtf in counts.items() if term in frequencies
    }


def rare_terms(frequencies: Mapping[int, int], candidates: int, *, least: int = 0) -> list[int]:
    """The rarest terms that together occur in about `candidates` passages; at least one.

    A term that would make it more than twice as many is left out where the others bring `least`.
    """
    chosen: list[int] = []
    total = 0
    for term, df in sorted(frequencies.items(), key=lambda item: (item[1], item[0])):
        if chosen and total >= least and total + df > 2 * candidates:
            break
        chosen.append(term)
        total += df
        if total > candidates:
            break
    return chosen


def to_sparsevec(weights: Mapping[int, float]) -> str:
    """pgvector's text form, whose indexes begin at 1; exact to float4."""
    entries = ",".join(f"{term + 1}:{weights[term]:.7g}" for term in sorted(weights))
    return f"{{{entries}}}/{TERM_SPACE}"


def pack_sparsevec(weights: Mapping[int, float]) -> bytes:
    """pgvector's binary form, for COPY; its indexes begin at 0 and stand in order."""
    terms = sorted(weights)
    values = [weights[term] for term in terms]
    return struct.pack(
        f">iii{len(terms)}i{len(terms)}f", TERM_SPACE, len(terms), 0, *terms, *values
    )


def from_sparsevec(text: str) -> Weights:
    entries = text[1 : text.index("}")]
    pairs: Iterable[list[str]] = (entry.split(":") for entry in entries.split(",") if entry)
    return {int(index) - 1: float(weight) for index, weight in pairs}


def has_drifted(n: int, sum_length: int, frozen: float) -> bool:
    """Whether the collection's average length has left the frozen one too far behind."""
    return n > 0 and frozen > 0 and abs(sum_length / n - frozen) > LARGEST_DRIFT * frozen
