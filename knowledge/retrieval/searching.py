"""Search: one statement over what a person may see, and the second lock around it."""

import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from accounts.models import User
from gateway.labels import Demand
from gateway.types import Payer
from knowledge.embeddings.storages import search_settings
from knowledge.models import Collection, EmbeddingVersion
from knowledge.retrieval.questions import EmbedderFor, Question, embed_for, prepare
from knowledge.retrieval.statements import (
    LEG_LIMIT,
    SETTINGS,
    allowed_by,
    read_passages,
    read_statistics,
)
from knowledge.types import Passage, SearchResult
from knowledge.versions import find_active_version
from security.reading import reading_as

MAX_LIMIT = 100


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
    question = prepare(query, embedder_for, version or find_active_version())
    embedded = time.perf_counter()
    allowed = allowed_by(visible)
    with reading_as(user, **SETTINGS, **search_settings(question.version, LEG_LIMIT)) as cursor:
        known = read_statistics(cursor, allowed, list(question.counts))
        rows = read_passages(cursor, allowed, question, known, limit) if known.n else []
    ended = time.perf_counter()
    timings = {"embed_ms": (embedded - began) * 1000, "sql_ms": (ended - embedded) * 1000}
    passages = tuple(_to_passage(row, question) for row in rows)
    took_ms = (ended - began) * 1000
    return SearchResult(query, passages, took_ms, question.alpha, timings, _demands(rows))


def _demands(rows: Sequence[tuple[Any, ...]]) -> tuple[Demand, ...]:
    """What the collections of these passages demand."""
    found = (Demand(label, "collection", row[-2]) for row in rows for label in row[-1])
    return tuple(dict.fromkeys(found))


def _to_passage(row: tuple[Any, ...], question: Question) -> Passage:
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
