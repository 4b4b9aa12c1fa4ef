"""The SQL of a search: BM25, then vectors and both together, permission inside both legs.

The lexical leg scores the passages that hold one of the question's rare terms; the dense leg walks
the HNSW index, or reads every vector where that is faster. Each leg's scores are divided by its
best one and added with the weight of `fusion`. They are two statements, so that the first can run
while the question is embedded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from knowledge.bm25 import rare_terms, to_sparsevec, weigh_query
from knowledge.embeddings.storages import dense_leg, index_name
from knowledge.retrieval.allowed import Allowed
from knowledge.retrieval.filters import EVERYTHING, Narrowing
from knowledge.retrieval.questions import Question

# Each leg hands over this many; the walk through the graph is approximate, so more than are shown.
LEG_LIMIT = 100
# Reading every vector is exact. Up to this many it is also as fast as the walk through the graph
# of as many; where few of all may be searched the walk is longer by as much (`_is_exact`).
EXACT_BELOW = 4_000
# Where few of all may be searched the walk passes those of others too, more for each further one.
# What the lexical leg did not find stands by its vector alone: as many as are shown are enough.
NEAREST_OF_FEW = 20
FEW_OF_ALL = 0.25
# About so many passages are scored by their words: a hundredth of all, within these bounds.
FEWEST_CANDIDATES, MOST_CANDIDATES = 300, 4_000
# Up to this many passages all that hold any word are scored: the index of words would be read for
# those of everybody, of whom these people may see a few.
SCORED_BELOW = 10_000
# So many collections are named to the lexical leg one by one: then Postgres knows how many passages
# they have, and reads no others where they are few.
FEW_SPACES = 100

SETTINGS = {
    "hnsw.iterative_scan": "relaxed_order",
    "hnsw.max_scan_tuples": "20000",
    "plan_cache_mode": "force_custom_plan",
    "enable_seqscan": "off",  # how many collections are allowed is not known to the planner
}

STATISTICS = """
with allowed as materialized ({allowed}),
     size as (select coalesce(sum(n), 0)::bigint as n from lexical_statistics
              where collection_id = any (array(select id from allowed)))
select size.n, found.term, found.df,
       (select reltuples from pg_class where oid = to_regclass(%s)),
       (select array_agg(id) from allowed having count(*) <= {few})
from size left join (
    select term, sum(df)::bigint as df from term_df
    where collection_id = any (array(select id from allowed)) and term = any (%s::int[])
    group by term) as found on true
"""

LEXICAL = """
with allowed as materialized ({allowed}){named}
select id, -distance from (
    select id, bm25 <#> %s::sparsevec as distance from knowledge_lexicon
    where {within}{holds}{narrowed}
    order by distance limit {limit}) as nearest
where distance < 0
"""

HOLDS = " and terms && %s::int[]"  # by an index; to ask each passage costs more than its score

WITHIN = "collection_id = any (array(select id from allowed))"
WITH_WORDS = " and chunk_id = any (array(select id from lexical))"
NAMED = "collection_id = any (%s::uuid[])"

NOTHING = "select null::uuid as id, null::float8 as score where false"

FUSED = """
with allowed as materialized ({allowed}){narrowed},
     lexical (id, score) as (select * from unnest(%s::uuid[], %s::float8[])),
     nearest as materialized ({nearest}),
     dense as (
        select id, score, rank() over (order by score desc) as place from nearest
        union all
        select id, score, null from ({others}) as others
        where id <> all (array(select id from nearest))),
     ranked as (
        select id, score as lexical, rank() over (order by score desc) as lexical_rank,
               null::float8 as dense, null::bigint as dense_rank,
               {lexical_weight} * score / nullif(max(score) over (), 0) as share
        from lexical
        union all
        select id, null, null, score, place,
               {dense_weight} * greatest(score, 0) / nullif(max(score) over (), 0)
        from dense where score > 0),
     fused as (
        select id, sum(share) as score, max(lexical) as lexical, max(lexical_rank) as lexical_rank,
               max(dense) as dense, max(dense_rank) as dense_rank
        from ranked group by id order by score desc, id limit {limit})
select c.id, c.document_id, c.collection_id, d.title, c.heading_path, c.text, c.start, c."end",
       c.page, c.line, c.head, fused.score, fused.lexical, fused.lexical_rank,
       fused.dense, fused.dense_rank, c.terms, k.name, k.required_labels
from fused join knowledge_chunk c on c.id = fused.id
        and c.collection_id = any (array(select id from allowed))
    join knowledge_document d on d.id = c.document_id
    join knowledge_collection k on k.id = c.collection_id
order by fused.score desc, c.id
"""


@dataclass(frozen=True, slots=True)
class Known:
    """How many passages are searched, and in how many of them each known term occurs; about how
    many there are in the index of vectors, for everybody together; and under which ids the searched
    ones lie, where these are few."""

    n: int
    frequencies: Mapping[int, int]
    indexed: int = 0
    spaces: list[UUID] | None = None


Leg = tuple[str, list[Any]]  # SQL, and its values
Scores = Sequence[tuple[UUID, float]]


def read_statistics(cursor: CursorWrapper, allowed: Allowed, question: Question) -> Known:
    sql, parameters = allowed
    index, terms = index_name(question.version), list(question.counts)
    statement = STATISTICS.format(allowed=sql, few=FEW_SPACES)
    cursor.execute(statement, [*parameters, index, terms])
    rows = cursor.fetchall()
    n, _term, _df, indexed, spaces = rows[0]
    frequencies = {term: df for _, term, df, *_ in rows if term is not None}
    return Known(n, frequencies, int(indexed or 0), spaces)


def read_lexical(
    cursor: CursorWrapper,
    allowed: Allowed,
    question: Question,
    known: Known,
    *,
    narrowing: Narrowing = EVERYTHING,
) -> Scores:
    """The best by their words, best first; what is `known` is of the collections as a whole."""
    if not known.frequencies:
        return []
    weights = to_sparsevec(weigh_query(question.counts, known.frequencies, known.n))
    is_read = narrowing.is_small or known.n <= SCORED_BELOW
    terms = [] if is_read else [_candidates(known, narrowing)]
    condition, values = narrowing.inside("knowledge_lexicon.id")
    named, named_values = narrowing.names
    spaces = [] if known.spaces is None else [known.spaces]
    sql, parameters = allowed
    statement = LEXICAL.format(
        allowed=sql,
        named=named,
        within=NAMED if spaces else WITHIN,
        holds=HOLDS if terms else "",
        narrowed=condition,
        limit=LEG_LIMIT,
    )
    cursor.execute(statement, [*parameters, *named_values, weights, *spaces, *terms, *values])
    rows: Scores = cursor.fetchall()
    return rows


def read_passages(  # noqa: PLR0917
    cursor: CursorWrapper,
    allowed: Allowed,
    question: Question,
    known: Known,
    lexical: Scores,
    limit: int,
    *,
    narrowing: Narrowing = EVERYTHING,
) -> list[tuple[Any, ...]]:
    """The best of both legs together, in rows, with what the `lexical` one found."""
    (nearest, values), (others, others_values) = _dense_legs(question, known, narrowing, limit)
    narrowed, narrowed_values = narrowing.names
    sql, parameters = allowed
    statement = FUSED.format(
        allowed=sql,
        narrowed=narrowed,
        nearest=nearest,
        others=others,
        lexical_weight=1 - question.alpha,
        dense_weight=question.alpha,
        limit=limit,
    )
    ids, scores = [pk for pk, _ in lexical], [score for _, score in lexical]
    asked = [*parameters, *narrowed_values, ids, scores, *values, *others_values]
    cursor.execute(statement, asked)
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _candidates(known: Known, narrowing: Narrowing) -> list[int]:
    """Scoring more passages than these changed nothing in quality and cost a lot of time."""
    wanted = min(MOST_CANDIDATES, max(FEWEST_CANDIDATES, known.n // 100))
    least = LEG_LIMIT
    if narrowing.size:  # only some of the candidates pass, so there must be more
        wanted, least = (count * known.n // narrowing.size for count in (wanted, least))
    return rare_terms(known.frequencies, wanted, least=least)


def _dense_legs(question: Question, known: Known, narrowing: Narrowing, limit: int) -> list[Leg]:
    """The nearest, and those among the lexical leg's that may be farther away: a passage counts by
    its words and by its vector, whichever of them found it."""
    if question.vector is None:
        return [(NOTHING, []), (NOTHING, [])]
    is_all = narrowing.size is None or not narrowing.is_counted
    size = known.n if is_all else min(known.n, narrowing.size or 0)
    is_exact = _is_exact(size, known.indexed)
    is_long = not is_exact and size < FEW_OF_ALL * known.indexed
    count = max(NEAREST_OF_FEW, limit) if is_long else LEG_LIMIT
    condition, values = narrowing.inside("knowledge_embedding.chunk_id")
    legs = [
        dense_leg(question.version, count, is_exact=is_exact, within=WITHIN + condition),
        dense_leg(question.version, LEG_LIMIT, is_exact=True, within=WITHIN + WITH_WORDS),
    ]
    vector = question.vector
    return [
        (leg.sql, [vector, *inside, *[vector] * (leg.questions - 1)])
        for leg, inside in zip(legs, (values, ()), strict=True)
    ]


def _is_exact(size: int, indexed: int) -> bool:
    """Of passages that one in ten may read, the walk passes ten for each that it finds."""
    return size <= EXACT_BELOW or size * size <= EXACT_BELOW * indexed
