"""The SQL of a search: BM25 and vectors in one statement, permission inside both legs.

The lexical leg scores the passages that hold one of the question's rare terms; the dense leg walks
the HNSW index, or reads every vector where that is faster. Each leg's scores are divided by its
best one and added with the weight of `fusion`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet

from knowledge.bm25 import rare_terms, to_sparsevec, weigh_query
from knowledge.embeddings.storages import dense_leg, index_name
from knowledge.models import Collection
from knowledge.retrieval.filters import EVERYTHING, Narrowing
from knowledge.retrieval.questions import Question

# Each leg hands over this many; the walk through the graph is approximate, so more than are shown.
LEG_LIMIT = 100
# Reading every vector is exact. Up to this many it is also as fast as the walk through the graph
# of as many; where few of all may be searched the walk is longer by as much (`_is_exact`).
EXACT_BELOW = 4_000
# About so many passages are scored by their words: a hundredth of all, within these bounds.
FEWEST_CANDIDATES, MOST_CANDIDATES = 300, 4_000
# Up to this many passages all that hold any word are scored: the index of words would be read for
# those of everybody, of whom these people may see a few.
SCORED_BELOW = 10_000

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
       (select reltuples from pg_class where oid = to_regclass(%s))
from size left join (
    select term, sum(df)::bigint as df from term_df
    where collection_id = any (array(select id from allowed)) and term = any (%s::int[])
    group by term) as found on true
"""

LEXICAL = """
select id, -(bm25 <#> %s::sparsevec) as score from knowledge_lexicon
where collection_id = any (array(select id from allowed)){holds}{narrowed}
order by bm25 <#> %s::sparsevec limit {limit}
"""

HOLDS = " and terms && %s::int[]"  # by an index; to ask each passage costs more than its score

WITHIN = "collection_id = any (array(select id from allowed))"

NOTHING = "select null::uuid as id, null::float8 as score where false"

FUSED = """
with allowed as materialized ({allowed}){narrowed},
     lexical as materialized ({lexical}),
     dense as materialized ({dense}),
     ranked as (
        select id, score as lexical, rank() over (order by score desc) as lexical_rank,
               null::float8 as dense, null::bigint as dense_rank,
               {lexical_weight} * score / nullif(max(score) over (), 0) as share
        from lexical where score > 0
        union all
        select id, null, null, score, rank() over (order by score desc),
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
    """How many passages are searched, and in how many of them each known term occurs; and about
    how many there are in the index of vectors, for everybody together."""

    n: int
    frequencies: Mapping[int, int]
    indexed: int = 0


Allowed = tuple[str, tuple[Any, ...]]
Leg = tuple[str, list[Any]]  # SQL, and its values


def allowed_by(*visible: "QuerySet[Collection]") -> Allowed:
    """The SQL and the parameters of the ids of the collections that may be searched, and of their
    parts (`spaces_of`)."""
    statements: list[str] = []
    values: list[Any] = []
    for rows in visible:
        try:
            sql, parameters = rows.order_by().values("pk").query.sql_with_params()
        except EmptyResultSet:
            continue
        statements.append(f"select visible.id from ({sql}) as visible (id)")  # noqa: S608 - Django's SQL
        values.extend(parameters)
    return " union all ".join(statements) or "select null::uuid as id where false", tuple(values)


def read_statistics(cursor: CursorWrapper, allowed: Allowed, question: Question) -> Known:
    sql, parameters = allowed
    index, terms = index_name(question.version), list(question.counts)
    cursor.execute(STATISTICS.format(allowed=sql), [*parameters, index, terms])
    rows = cursor.fetchall()
    n, _term, _df, indexed = rows[0]
    return Known(n, {term: df for _, term, df, _ in rows if term is not None}, int(indexed or 0))


def read_passages(
    cursor: CursorWrapper,
    allowed: Allowed,
    question: Question,
    known: Known,
    limit: int,
    *,
    narrowing: Narrowing = EVERYTHING,
) -> list[tuple[Any, ...]]:
    """The best of both legs together, in rows; what is `known` is of the collections as a whole."""
    lexical, lexical_values = _lexical_leg(question, known, narrowing)
    dense, dense_values = _dense_leg(question, known, narrowing)
    narrowed, narrowed_values = narrowing.names
    allowed_sql, parameters = allowed
    statement = FUSED.format(
        allowed=allowed_sql,
        narrowed=narrowed,
        lexical=lexical,
        dense=dense,
        lexical_weight=1 - question.alpha,
        dense_weight=question.alpha,
        limit=limit,
    )
    cursor.execute(statement, [*parameters, *narrowed_values, *lexical_values, *dense_values])
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _lexical_leg(question: Question, known: Known, narrowing: Narrowing) -> Leg:
    if not known.frequencies:
        return NOTHING, []
    weights = to_sparsevec(weigh_query(question.counts, known.frequencies, known.n))
    is_read = narrowing.is_small or known.n <= SCORED_BELOW
    terms = [] if is_read else [_candidates(known, narrowing)]
    condition, values = narrowing.inside("knowledge_lexicon.id")
    leg = LEXICAL.format(limit=LEG_LIMIT, holds=HOLDS if terms else "", narrowed=condition)
    return leg, [weights, *terms, *values, weights]


def _candidates(known: Known, narrowing: Narrowing) -> list[int]:
    """Scoring more passages than these changed nothing in quality and cost a lot of time."""
    wanted = min(MOST_CANDIDATES, max(FEWEST_CANDIDATES, known.n // 100))
    least = LEG_LIMIT
    if narrowing.size:  # only some of the candidates pass, so there must be more
        wanted, least = (count * known.n // narrowing.size for count in (wanted, least))
    return rare_terms(known.frequencies, wanted, least=least)


def _dense_leg(question: Question, known: Known, narrowing: Narrowing) -> Leg:
    if question.vector is None:
        return NOTHING, []
    is_all = narrowing.size is None or not narrowing.is_counted
    size = known.n if is_all else min(known.n, narrowing.size or 0)
    condition, values = narrowing.inside("knowledge_embedding.chunk_id")
    is_exact = _is_exact(size, known.indexed)
    leg = dense_leg(question.version, LEG_LIMIT, is_exact=is_exact, within=WITHIN + condition)
    return leg.sql, [question.vector, *values, *[question.vector] * (leg.questions - 1)]


def _is_exact(size: int, indexed: int) -> bool:
    """Of passages that one in ten may read, the walk passes ten for each that it finds."""
    return size <= EXACT_BELOW or size * size <= EXACT_BELOW * indexed
