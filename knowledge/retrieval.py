"""Search: BM25 and vectors in one SQL statement, permission inside both legs and the second lock.

The lexical leg scores the passages that hold one of the question's rare terms; the dense leg walks
the HNSW index, or reads every vector where there are few. Each leg's scores are divided by its
best one and added with the weight of `fusion`.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import EmptyResultSet
from django.db.backends.utils import CursorWrapper
from django.db.models import QuerySet

from accounts.models import User
from accounts.payers import payer_of
from gateway.embedding.embedder import LOCAL_NAME, Embedder, get_embedder
from gateway.labels import Demand
from gateway.types import Payer
from knowledge.analyzer import analyze, term_id
from knowledge.bm25 import rare_terms, to_sparsevec, weigh_query
from knowledge.embeddings.storages import dense_leg, search_settings
from knowledge.fusion import choose_alpha
from knowledge.labels import embedding_demands
from knowledge.models import Collection, EmbeddingVersion
from knowledge.types import Passage, SearchResult
from knowledge.versions import find_active_version
from security.reading import reading_as

log = logging.getLogger(__name__)

# Each leg hands over this many; the walk through the graph is approximate, so more than are shown.
LEG_LIMIT = 100
MAX_LIMIT = 100
# Up to this many passages reading all vectors is exact and as fast as the graph.
EXACT_BELOW = 4_000
# About so many passages are scored by their words: a fiftieth of all, within these bounds.
FEWEST_CANDIDATES, MOST_CANDIDATES = 300, 10_000
LONGEST_QUESTION = 4_000  # characters

SETTINGS = {
    "hnsw.iterative_scan": "relaxed_order",
    "hnsw.max_scan_tuples": "20000",
    "plan_cache_mode": "force_custom_plan",
}

STATISTICS = """
with allowed as materialized ({allowed}),
     size as (select coalesce(sum(n), 0)::bigint as n from lexical_statistics
              where collection_id = any (array(select id from allowed)))
select size.n, found.term, found.df from size left join (
    select term, sum(df)::bigint as df from term_df
    where collection_id = any (array(select id from allowed)) and term = any (%s::int[])
    group by term) as found on true
"""

LEXICAL = """
select id, -(bm25 <#> %s::sparsevec) as score from knowledge_lexicon
where collection_id = any (array(select id from allowed)) and terms && %s::int[]
order by bm25 <#> %s::sparsevec limit {limit}
"""

WITHIN = "collection_id = any (array(select id from allowed))"

NOTHING = "select null::uuid as id, null::float8 as score where false"

FUSED = """
with allowed as materialized ({allowed}),
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
    join knowledge_document d on d.id = c.document_id
    join knowledge_collection k on k.id = c.collection_id
order by fused.score desc, c.id
"""


EmbedderFor = Callable[[str], Embedder]  # by the name of a model


@dataclass(frozen=True, slots=True)
class _Question:
    """A question as both legs need it; `vector` is None where the dense leg has no weight."""

    counts: Mapping[int, int]
    words: Mapping[int, str]
    alpha: float
    vector: str | None
    version: EmbeddingVersion


@dataclass(frozen=True, slots=True)
class _Known:
    """How many passages are searched, and in how many of them each known term occurs."""

    n: int
    frequencies: Mapping[int, int]


def search(
    user: User | AnonymousUser,
    query: str,
    collections: Sequence[UUID] | None = None,
    limit: int = 10,
    demands: Sequence[Demand] = (),
    *,
    payer: Payer | None = None,
    remember: bool = True,
    version: EmbeddingVersion | None = None,
) -> SearchResult:
    """The passages that fit best among those `user` may see, best first; by another embedding
    `version` than the searched one, if it is given.

    `collections` narrows the search; ids that are not visible add nothing. Embeds the question
    before it opens its transaction, by an embedder with the labels that are demanded here and by
    those collections; without `remember` nothing of the question is kept. Raises what the embedder
    raises.
    """
    visible = Collection.objects.visible_to(user)
    if collections is not None:
        visible = visible.filter(pk__in=list(collections))
    embedder_for = embed_for(collections, demands, user, payer, remember=remember)
    return _search(user, query, visible, limit, embedder_for, version=version)


def search_shelves(
    user: User | AnonymousUser,
    query: str,
    shelves: Sequence[UUID],
    limit: int = 10,
    demands: Sequence[Demand] = (),
    *,
    payer: Payer | None = None,
    remember: bool = True,
) -> SearchResult:
    """The same in attachments, named by the ids of their shelves, and in nothing else."""
    visible = Collection.objects.shelves_of(user).filter(pk__in=list(shelves))
    embedder_for = embed_for(None, demands, user, payer, remember=remember)
    return _search(user, query, visible, limit, embedder_for)


def _search(
    user: User | AnonymousUser,
    query: str,
    visible: "QuerySet[Collection]",
    limit: int,
    embedder_for: EmbedderFor,
    *,
    version: EmbeddingVersion | None = None,
) -> SearchResult:
    began = time.perf_counter()
    limit = max(1, min(limit, MAX_LIMIT))
    question = _prepare(query[:LONGEST_QUESTION], embedder_for, version or find_active_version())
    embedded = time.perf_counter()
    allowed = _allowed(visible)
    with reading_as(user, **SETTINGS, **search_settings(question.version, LEG_LIMIT)) as cursor:
        known = _read_statistics(cursor, allowed, list(question.counts))
        rows = _read_passages(cursor, allowed, question, known, limit) if known.n else []
    ended = time.perf_counter()
    timings = {"embed_ms": (embedded - began) * 1000, "sql_ms": (ended - embedded) * 1000}
    passages = tuple(_to_passage(row, question) for row in rows)
    took_ms = (ended - began) * 1000
    return SearchResult(query, passages, took_ms, question.alpha, timings, _demands(rows))


def embed_for(
    collections: Sequence[UUID] | None,
    demands: Sequence[Demand],
    user: User | AnonymousUser | None = None,
    payer: Payer | None = None,
    *,
    remember: bool = True,
) -> EmbedderFor:
    """Gives the embedder of a model that may see a question asked of these collections, on the
    account of `payer`, else of `user`."""

    def find(model: str) -> Embedder:
        if model == LOCAL_NAME:
            return get_embedder(model)
        pays = payer or payer_of(user, "embedding")
        demanded = embedding_demands(model, collections, demands)
        return get_embedder(model, demanded, payer=pays, remember=remember)

    return find


def _demands(rows: Sequence[tuple[Any, ...]]) -> tuple[Demand, ...]:
    """What the collections of these passages demand."""
    found = (Demand(label, "collection", row[-2]) for row in rows for label in row[-1])
    return tuple(dict.fromkeys(found))


def _prepare(query: str, embedder_for: EmbedderFor, version: EmbeddingVersion) -> _Question:
    counted = Counter(analyze(query))
    alpha = choose_alpha(query, version.model, is_multilingual=version.is_multilingual)
    vector = None
    if alpha > 0 and query.strip():
        (row,) = embedder_for(version.model).embed([query])
        if len(row) == version.dimensions:
            vector = "[" + ",".join(f"{value:.5g}" for value in row) + "]"
        else:  # somebody changed the model behind its name: words alone, rather than chance
            log.warning("vectors of %s have %d dimensions now", version.model, len(row))
            alpha = 0.0
    return _Question(
        counts={term_id(term): count for term, count in counted.items()},
        words={term_id(term): term for term in counted},
        alpha=alpha,
        vector=vector,
        version=version,
    )


_Allowed = tuple[str, tuple[Any, ...]]


def _allowed(visible: "QuerySet[Collection]") -> _Allowed:
    """The SQL and the parameters of the ids of the collections that may be searched."""
    try:
        sql, parameters = visible.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return "select null::uuid as id where false", ()
    return f"select visible.id from ({sql}) as visible (id)", parameters  # noqa: S608 - Django's SQL


def _read_statistics(cursor: CursorWrapper, allowed: _Allowed, terms: list[int]) -> _Known:
    sql, parameters = allowed
    cursor.execute(STATISTICS.format(allowed=sql), [*parameters, terms])
    rows = cursor.fetchall()
    return _Known(rows[0][0], {term: df for _, term, df in rows if term is not None})


def _read_passages(
    cursor: CursorWrapper, allowed: _Allowed, question: _Question, known: _Known, limit: int
) -> list[tuple[Any, ...]]:
    allowed_sql, parameters = allowed
    values: list[Any] = list(parameters)
    lexical = dense = NOTHING
    if known.frequencies:
        weights = to_sparsevec(weigh_query(question.counts, known.frequencies, known.n))
        # Scoring more candidates changed nothing in quality and cost a lot of time.
        wanted = min(MOST_CANDIDATES, max(FEWEST_CANDIDATES, known.n // 50))
        candidates = rare_terms(known.frequencies, wanted)
        lexical = LEXICAL.format(limit=LEG_LIMIT)
        values += [weights, candidates, weights]
    if question.vector is not None:
        leg = dense_leg(question.version, LEG_LIMIT, is_exact=known.n <= EXACT_BELOW, within=WITHIN)
        dense = leg.sql
        values += [question.vector] * leg.questions
    statement = FUSED.format(
        allowed=allowed_sql,
        lexical=lexical,
        dense=dense,
        lexical_weight=1 - question.alpha,
        dense_weight=question.alpha,
        limit=limit,
    )
    cursor.execute(statement, values)
    rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _to_passage(row: tuple[Any, ...], question: _Question) -> Passage:
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
    matched = sorted(question.words[term] for term in set(terms) & question.words.keys())
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
            "terms_matched": matched,
        },
    )


def _rank(rank: int | None, score: float | None) -> dict[str, float] | None:
    return None if rank is None or score is None else {"rank": rank, "score": round(score, 4)}
