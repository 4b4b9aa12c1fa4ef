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
class Labelled:
    """A question with what it is to find, and everything that could be found for it."""

    question_id: UUID
    script: str
    usual: float  # the share of vectors today
    wanted: Sequence[Wanted]
    candidates: Sequence[Candidate]
    terms: Weights  # the question's half of BM25

    def ndcg(self, index: Index, shape: Shape, dense: float) -> float:
        """What it would be, as `statements` would fuse it."""
        lexical = {one.chunk_id: self._lexical(one, index, shape) for one in self.candidates}
        vectors = {one.chunk_id: max(one.dense, 0.0) for one in self.candidates}
        best = max(lexical.values(), default=0.0) or 1.0
        nearest = max(vectors.values(), default=0.0) or 1.0
        scores = {
            pk: (1 - dense) * lexical[pk] / best + dense * vectors[pk] / nearest for pk in lexical
        }
        order = sorted(self.candidates, key=lambda one: (-scores[one.chunk_id], one.chunk_id))
        first = [one.given for one in order if scores[one.chunk_id] > 0][:DEPTH]
        return judge(self.wanted, first).ndcg or 0.0

    def likeness(self, dense: float) -> float:
        """Of the passage that resembles the question most, by this share of vectors."""
        found = ((1 - dense) * one.covered + dense * one.near for one in self.candidates)
        return max(found, default=0.0)

    def _lexical(self, one: Candidate, index: Index, shape: Shape) -> float:
        again = weigh_again(
            one.stored, one.length, index.average, index.average, was=index.shape, becomes=shape
        )
        return sum(weight * self.terms.get(term, 0.0) for term, weight in again.items())


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
