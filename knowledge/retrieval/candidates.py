"""From the rows of one or several queries to one order of passages. Pure.

A passage's score is the mean of its scores for all queries, by their weights; a query that did not
find it gives nothing. Of one query that is its own score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from gateway.labels import Demand
from knowledge.retrieval.questions import Question
from knowledge.retrieval.statements import Known
from knowledge.retrieval.thresholds import Likeness
from knowledge.retrieval.types import Candidate, Drop, Query, StageRank
from knowledge.types import Passage

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What one query found, best first; `took_ms` is the time that Postgres had for
    it, and what it waited for the question's vector.

    `demands` has what each of their collections demands; `least` is the likeness from which a
    passage may answer this query.
    """

    query: Query
    passages: tuple[Passage, ...]
    demands: Mapping[UUID, tuple[Demand, ...]] = field(default_factory=dict)
    took_ms: float = 0.0
    least: float = 0.0

    @property
    def has_alike(self) -> bool:
        return any(passage.ranks["alike"] >= self.least for passage in self.passages)


def found_by(
    query: Query, question: Question, known: Known, rows: Sequence[Row], took_ms: float = 0.0
) -> Found:
    """The rows of `statements.read_passages` as passages."""
    likeness = Likeness(question, known)
    passages = tuple(_to_passage(row, question, likeness) for row in rows)
    demands = {
        passage.collection_id: tuple(Demand(label, "collection", row[-2]) for label in row[-1])
        for passage, row in zip(passages, rows, strict=True)
    }
    return Found(query, passages, demands, took_ms, question.least.among(known.n))


def demands_of(found: Sequence[Found], shown: Sequence[Passage]) -> tuple[Demand, ...]:
    """What the collections of these passages demand of whoever reads them."""
    by_collection = {pk: demands for one in found for pk, demands in one.demands.items()}
    collections = dict.fromkeys(passage.collection_id for passage in shown)
    return tuple(dict.fromkeys(demand for pk in collections for demand in by_collection[pk]))


def fuse(found: Sequence[Found]) -> list[Passage]:
    """All passages in one order; each has the score of all queries and the ranks of the first."""
    if len(found) == 1:
        return list(found[0].passages)
    whole = sum(one.query.weight for one in found) or 1.0
    scores: dict[UUID, float] = {}
    known: dict[UUID, Passage] = {}
    for one in found:
        for passage in one.passages:
            share = one.query.weight * passage.score / whole
            scores[passage.chunk_id] = scores.get(passage.chunk_id, 0.0) + share
            first = known.setdefault(passage.chunk_id, passage)
            if first is not passage:
                known[passage.chunk_id] = replace(first, ranks=_both(first.ranks, passage.ranks))
    order = sorted(known, key=lambda pk: (-scores[pk], pk))
    return [replace(known[pk], score=scores[pk]) for pk in order]


def trace_of(
    found: Sequence[Found], fused: Sequence[Passage], limit: int, *, is_enough: bool = True
) -> tuple[Candidate, ...]:
    """Every passage that was looked at, in the order of the fusion, with its ranks so far; not
    `is_enough` where none of them resembles the question."""
    stages: dict[UUID, list[StageRank]] = {passage.chunk_id: [] for passage in fused}
    for n, one in enumerate(found):
        for rank, passage in enumerate(one.passages, 1):
            own = stages[passage.chunk_id]
            own.extend(_legs(passage.ranks, n))
            own.append(StageRank("query", rank, passage.score, n))
    return tuple(
        Candidate(
            passage.chunk_id,
            passage.document_id,
            (*stages[passage.chunk_id], StageRank("fused", rank, passage.score)),
            (Drop.LIMIT if rank > limit else None) if is_enough else Drop.THRESHOLD,
        )
        for rank, passage in enumerate(fused, 1)
    )


def _legs(ranks: Mapping[str, Any], n: int) -> list[StageRank]:
    return [
        StageRank(leg, ranks[leg]["rank"], ranks[leg]["score"], n)
        for leg in ("lexical", "dense")
        if ranks[leg]
    ]


def _both(first: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    terms = sorted({*first["terms_matched"], *other["terms_matched"]})
    return first | {"terms_matched": terms, "alike": max(first["alike"], other["alike"])}


def _to_passage(row: Row, question: Question, likeness: Likeness) -> Passage:
    *fields, score, lexical, lexical_rank, dense, dense_rank, terms, _name, _labels = row
    (
        chunk_id,
        document_id,
        collection_id,
        title,
        heading_path,
        text,
        start,
        end,
        page,
        line,
        head,
    ) = fields
    shared = set(terms) & question.words.keys()
    return Passage(
        chunk_id=chunk_id,
        document_id=document_id,
        collection_id=collection_id,
        title=title,
        heading_path=tuple(heading_path),
        text=text,
        start=start,
        end=end,
        page=page,
        line=line,
        head=head,
        score=float(score or 0),
        ranks={
            "lexical": _rank(lexical_rank, lexical),
            "dense": _rank(dense_rank, dense),
            "weight": question.alpha,
            "alike": likeness.of(shared, dense),
            "terms_matched": sorted(question.words[term] for term in shared),
        },
    )


def _rank(rank: int | None, score: float | None) -> dict[str, float] | None:
    return None if rank is None or score is None else {"rank": rank, "score": round(score, 4)}
