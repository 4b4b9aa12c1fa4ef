"""One question's passages under any weights: both legs are searched once, the rest is computed.

The lexical score is recomputed from how often each term stands in a passage, which its stored
weights hold, among the passages that today's weights found.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from knowledge.analyzer import analyze, term_id
from knowledge.bm25 import Shape, from_sparsevec, weigh_again, weigh_query
from knowledge.models import Collection
from knowledge.quality.judging import DEPTH, Given, Wanted, judge
from knowledge.retrieval.searching import DEPTH as HANDED_OVER
from knowledge.retrieval.thresholds import nearness
from knowledge.types import Passage

Weights = Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Index:
    """What a collection's passages are weighed by now."""

    n: int
    average: float
    shape: Shape


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that either leg found; `stored` are its weights of the question's terms."""

    chunk_id: UUID
    given: Given
    length: int
    stored: Weights
    dense: float
    covered: float = 0.0  # the share of the question's words that it has (`retrieval.thresholds`)
    near: float = 0.0  # how much nearer it lies than anything does


@dataclass(frozen=True, slots=True)
class Beside:
    """A query that is searched for beside the question; `weight` is its part in the fusion."""

    script: str
    usual: float
    weight: float
    candidates: Sequence[Candidate]
    terms: Weights


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question with what it is to find, and everything that could be found for it."""

    question_id: UUID
    script: str
    usual: float  # the share of vectors today
    wanted: Sequence[Wanted]
    candidates: Sequence[Candidate]
    terms: Weights  # the question's half of BM25
    also: Sequence[Beside] = ()

    def ndcg(self, index: Index, shape: Shape, dense: float) -> float:
        """What it would be, as `statements` and `candidates` would fuse it; queries in the other
        script are weighed as they are today."""
        scores = _scores(self.candidates, self.terms, index, shape, dense)
        given = {one.chunk_id: one.given for one in self.candidates}
        if self.also:
            several = [(1.0, scores)]
            for one in self.also:
                share = dense if one.script == self.script else one.usual
                scores = _scores(one.candidates, one.terms, index, shape, share)
                several.append((one.weight, scores))
                given |= {candidate.chunk_id: candidate.given for candidate in one.candidates}
            scores = _together(several)
        order = sorted(scores, key=lambda pk: (-scores[pk], pk))
        first = [given[pk] for pk in order if scores[pk] > 0][:DEPTH]
        return judge(self.wanted, first).ndcg or 0.0

    def likeness(self, dense: float) -> float:
        """Of the passage that resembles the question most, by this share of vectors, or a query
        in its script."""
        alike = [one.candidates for one in self.also if one.script == self.script]
        found = (
            (1 - dense) * one.covered + dense * one.near
            for candidates in (self.candidates, *alike)
            for one in candidates
        )
        return max(found, default=0.0)


Scores = Mapping[UUID, float]


def _scores(
    candidates: Sequence[Candidate], terms: Weights, index: Index, shape: Shape, dense: float
) -> Scores:
    """Of one query, as `statements` would put both legs together."""
    lexical = {one.chunk_id: _lexical(one, terms, index, shape) for one in candidates}
    vectors = {one.chunk_id: max(one.dense, 0.0) for one in candidates}
    best = max(lexical.values(), default=0.0) or 1.0
    nearest = max(vectors.values(), default=0.0) or 1.0
    return {pk: (1 - dense) * lexical[pk] / best + dense * vectors[pk] / nearest for pk in lexical}


def _together(several: Sequence[tuple[float, Scores]]) -> Scores:
    """As `candidates.fuse` does, of the first that each hands over."""
    whole = sum(weight for weight, _scores in several)
    found: dict[UUID, float] = {}
    for weight, scores in several:
        for pk in sorted(scores, key=lambda pk: (-scores[pk], pk))[:HANDED_OVER]:
            found[pk] = found.get(pk, 0.0) + weight * scores[pk] / whole
    return found


def _lexical(one: Candidate, terms: Weights, index: Index, shape: Shape) -> float:
    again = weigh_again(
        one.stored, one.length, index.average, index.average, was=index.shape, becomes=shape
    )
    return sum(weight * terms.get(term, 0.0) for term, weight in again.items())


# Of a collection and what lies apart from it (`document_access`), which its editors search as one.
SPACES = "select id from knowledge_collection where id = %(home)s or part_of_id = %(home)s"


def read_index(collection: Collection) -> Index:
    """Parts are weighed in the collection's shape, and by its average when they were set apart."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select sum(n) over (), avgdl_frozen, k1, b from lexical_statistics"  # noqa: S608
            f" where collection_id in ({SPACES})"
            " order by n > 0 desc, collection_id = %(home)s desc limit 1",
            {"home": collection.pk},
        )
        n, average, k1, b = cursor.fetchone() or (0, 0.0, None, None)
    house = Shape()
    shape = Shape(house.k1 if k1 is None else round(k1, 6), house.b if b is None else round(b, 6))
    return Index(int(n), average, shape)


def question_terms(collection: Collection, index: Index, text: str) -> Weights:
    counts = Counter(map(term_id, analyze(text)))
    with connection.cursor() as cursor:
        cursor.execute(
            "select term, sum(df)::int from term_df"  # noqa: S608
            f" where collection_id in ({SPACES}) and term = any(%(terms)s::int[]) group by term",
            {"home": collection.pk, "terms": list(counts)},
        )
        frequencies = dict(cursor.fetchall())
    return weigh_query(counts, frequencies, index.n)


def candidates_of(
    passages: Iterable[Passage], terms: Weights, searched: float, base: float = 0.0
) -> list[Candidate]:
    """Of a search in which vectors had the share `searched`, which is less than one, by an embedder
    by which any two texts have the cosine `base`."""
    found = {passage.chunk_id: passage for passage in passages}
    with connection.cursor() as cursor:
        cursor.execute(
            "select id, length, bm25::text from knowledge_chunk where id = any(%s)", [list(found)]
        )
        rows = cursor.fetchall()
    return [
        _candidate(found[pk], length, from_sparsevec(text), terms, searched, base=base)
        for pk, length, text in rows
    ]


def _candidate(
    passage: Passage, length: int, stored: Weights, terms: Weights, searched: float, *, base: float
) -> Candidate:
    """A passage that the lexical leg did not find has none of the rare terms: it stays so."""
    is_lexical = passage.ranks["lexical"] is not None
    dense = passage.ranks["dense"]["score"] if passage.ranks["dense"] else 0.0
    near = nearness(dense, base)
    alike = passage.ranks.get("alike", 0.0) - searched * near
    return Candidate(
        passage.chunk_id,
        Given(passage.document_id, passage.text, passage.start, passage.end),
        length,
        {term: stored[term] for term in terms if term in stored} if is_lexical else {},
        dense,
        max(0.0, alike / (1 - searched)),
        near,
    )
