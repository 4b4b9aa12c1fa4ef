"""Search: one statement a query over what a person may see, and the second lock around it."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from gateway.labels import Demand
from gateway.types import Payer
from knowledge.analyzer import is_cjk
from knowledge.embeddings.storages import search_settings
from knowledge.models import Collection, EmbeddingVersion
from knowledge.retrieval.allowed import Allowed, allowed_by, allowed_to
from knowledge.retrieval.candidates import Found, Row, demands_of, found_by, fuse, trace_of
from knowledge.retrieval.filters import narrow
from knowledge.retrieval.questions import EmbedderFor, Prepared, embed_for, prepare
from knowledge.retrieval.statements import (
    LEG_LIMIT,
    SETTINGS,
    Scores,
    read_lexical,
    read_passages,
    read_statistics,
)
from knowledge.retrieval.types import NO_FILTERS, Filters, Least, Query
from knowledge.retrieval.unrelated import thresholds_for
from knowledge.tuned import tuned_for
from knowledge.types import SearchResult
from knowledge.versions import find_active_version
from security.reading import reading_as

MAX_LIMIT = 100
# Of several queries each hands over at least so many: what two of them find is often far down.
DEPTH = 40


@dataclass(frozen=True, slots=True)
class Plan:
    """All that a search was asked, but for the vectors."""

    user: User | AnonymousUser
    queries: tuple[Query, ...]
    allowed: Allowed
    limit: int
    filters: Filters
    embedder_for: EmbedderFor
    version: EmbeddingVersion | None = None
    alpha: float | None = None
    collections: Sequence[UUID] | None = None  # as they were named, for weights of their own
    only_alike: bool = False
    shares: Mapping[str, float] | None = None

    def begin(self) -> Prepared:
        """Every query on its way to be embedded, in one batch."""
        texts = [query.text for query in self.queries]
        version = self.version or find_active_version()
        tuned = [tuned_for(self.collections, text).with_vectors_of(version.model) for text in texts]
        measured = thresholds_for(version)
        return prepare(
            texts,
            self.embedder_for,
            version,
            [self._share(text, one.dense) for text, one in zip(texts, tuned, strict=True)],
            [
                measured.of(text)
                if one.threshold is None
                else Least(one.threshold, base=measured.base)
                for text, one in zip(texts, tuned, strict=True)
            ],
        )

    def _share(self, text: str, usual: float | None) -> float | None:
        if self.alpha is not None:
            return self.alpha
        return (self.shares or {}).get("cjk" if is_cjk(text) else "latin", usual)

    def run(self, queries: Sequence[Query], prepared: Prepared) -> list[Found]:
        """What these queries find, one after the other in one transaction; each is looked for by
        its words first, since its vector may still be on its way."""
        limit = self.limit if len(self.queries) == 1 else max(self.limit, DEPTH)
        settings = SETTINGS | search_settings(prepared.words[0].version, LEG_LIMIT)
        found = []
        with reading_as(self.user, **settings) as cursor:
            narrowing = narrow(cursor, self.allowed, self.filters)
            for n, query in enumerate(queries):
                began = time.perf_counter()
                words = prepared.words[n]
                known = read_statistics(cursor, self.allowed, words)
                lexical: Scores = []
                rows: Sequence[Row] = []
                if known.n:
                    lexical = read_lexical(cursor, self.allowed, words, known, narrowing=narrowing)
                question = prepared.whole()[n]
                if known.n:
                    rows = read_passages(
                        cursor, self.allowed, question, known, lexical, limit, narrowing=narrowing
                    )
                found.append(found_by(query, question, known, rows, ms_since(began)))
        return found

    def result(self, prepared: Prepared, found: Sequence[Found], began: float) -> SearchResult:
        fused = fuse(found)
        is_alike = any(one.has_alike for one in found)
        is_enough = is_alike or not self.only_alike
        shown = tuple(fused[: self.limit]) if is_enough else ()
        took_ms = ms_since(began)
        return SearchResult(
            query=self.queries[0].text,
            passages=shown,
            took_ms=took_ms,
            alpha=prepared.whole()[0].alpha,
            timings={
                "embed_ms": prepared.waited_ms,
                "sql_ms": took_ms - prepared.waited_ms,
            },
            demands=demands_of(found, shown),
            trace=trace_of(found, fused, self.limit, is_enough=is_enough),
            is_alike=is_alike,
        )


def search(
    user: User | AnonymousUser,
    query: str,
    collections: Sequence[UUID] | None = None,
    limit: int = 10,
    demands: Sequence[Demand] = (),
    *,
    also: Sequence[Query] = (),
    filters: Filters = NO_FILTERS,
    payer: Payer | None = None,
    remember: bool = True,
    version: EmbeddingVersion | None = None,
    alpha: float | None = None,
    shares: Mapping[str, float] | None = None,
    only_alike: bool = False,
) -> SearchResult:
    """The passages that fit best among those `user` may see, best first; by another embedding
    `version` or another weight of the dense leg (`alpha`, or `shares` for queries of a script) than
    usual, where these are given.

    `collections` narrows the search, and so do `filters`; ids that are not visible add nothing.
    What the queries in `also` find counts by their weights beside what `query` finds. With
    `only_alike` nothing is found where nothing resembles any of them (`thresholds`). Embeds them
    together, by an embedder with the labels that are demanded here
    and by those collections; without `remember` nothing of the question is kept. Raises what the
    embedder raises.
    """
    embedder_for = embed_for(collections, demands, user, payer, remember=remember)
    allowed = allowed_to(user, collections)
    plan = plan_search(
        user, query, allowed, limit, embedder_for,
        also=also, filters=filters, version=version, alpha=alpha, collections=collections,
        only_alike=only_alike,
    )  # fmt: skip
    return run_plan(replace(plan, shares=shares) if shares else plan)


def search_shelves(
    user: User | AnonymousUser,
    query: str,
    shelves: Sequence[UUID],
    limit: int = 10,
    demands: Sequence[Demand] = (),
    *,
    also: Sequence[Query] = (),
    filters: Filters = NO_FILTERS,
    payer: Payer | None = None,
    remember: bool = True,
) -> SearchResult:
    """The same in attachments, named by the ids of their shelves, and in nothing else."""
    allowed = allowed_by(Collection.objects.shelves_of(user).filter(pk__in=list(shelves)))
    embedder_for = embed_for(None, demands, user, payer, remember=remember)
    plan = plan_search(user, query, allowed, limit, embedder_for, also=also, filters=filters)
    return run_plan(plan)


def plan_search(
    user: User | AnonymousUser,
    query: str,
    allowed: Allowed,
    limit: int,
    embedder_for: EmbedderFor,
    *,
    also: Sequence[Query] = (),
    filters: Filters = NO_FILTERS,
    version: EmbeddingVersion | None = None,
    alpha: float | None = None,
    collections: Sequence[UUID] | None = None,
    only_alike: bool = False,
) -> Plan:
    limit = max(1, min(limit, MAX_LIMIT))
    queries = (Query(query), *also)
    return Plan(
        user, queries, allowed, limit, filters, embedder_for,
        version, alpha, collections, only_alike,
    )  # fmt: skip


def run_plan(plan: Plan) -> SearchResult:
    began = time.perf_counter()
    prepared = plan.begin()
    found = plan.run(plan.queries, prepared)
    return plan.result(prepared, found, began)


def ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
