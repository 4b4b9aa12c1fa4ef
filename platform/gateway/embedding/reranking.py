"""How well documents answer a query: the scores of a rerank model, from whoever serves it.

Servers speak three dialects. Cohere, Jina, vLLM and llama.cpp take `documents` and give `results`;
Voyage calls them `data`; TEI takes `texts`, gives a list, and has its page above /v1. What a server
wants is learned from its refusal and remembered. Without an endpoint the embedded embedder stands
in: the cosine of query and document. It is weaker than a model made for it, and says no more than
the search does.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gateway.embedding.batching import Record
from gateway.embedding.embedder import LOCAL_NAME
from gateway.embedding.local import local_embedder
from gateway.errors import BadRequest, ContextOverflow, ModelNotFound, UpstreamFailed
from gateway.labels import Demand, labels_of, require_labels
from gateway.metering.recording import record_shared_call
from gateway.models import Model
from gateway.routing.attempt import UNBROKEN
from gateway.routing.board import current_board
from gateway.routing.errand import Outcome, Trip, metered, run_errand
from gateway.routing.needs import estimate_tokens, needs_of_texts
from gateway.routing.routes import list_routes
from gateway.spending import Spending
from gateway.types import NOBODY, CallRecord, Estimate, Payer, Route, TokenUsage
from gateway.upstream.asking import ask
from gateway.upstream.payloads import input_usage
from gateway.upstream.servers import root_url
from gateway.upstream.session import Pool, current_pool
from observability.patience import run_patiently
from security.sentences import Sentence, together

LARGEST_ANSWER = 16 * 1024 * 1024  # bytes; some servers send the documents back
SECONDS_EACH = 0.25  # of patience for each document, on top of what a first word may take
REMEMBERED_SERVERS = 1000


class RerankerUnavailable(Exception):
    """No enabled endpoint offers a rerank model of this name."""


@dataclass(frozen=True, slots=True)
class Dialect:
    is_above_v1: bool = False
    documents: str = "documents"  # what the field is called


_USUAL = Dialect()
_learned: dict[tuple[str, str], Dialect] = {}  # by address and model


async def find_rerank_routes(name: str, demands: Sequence[Demand] = ()) -> tuple[Route, ...]:
    """Who serves the rerank model of this name and has the labels that are demanded; raises
    RerankerUnavailable, LabelUnmet."""
    routes = await run_patiently(list_routes, name, Model.Kind.RERANK)
    found = tuple(route for route in routes if route.model == name)
    if not found:
        raise RerankerUnavailable(name)
    require_labels(found, demands)
    labels = labels_of(demands)
    return tuple(route for route in found if labels <= route.labels)


async def rerank(
    name: str,
    query: str,
    documents: Sequence[str],
    demands: Sequence[Demand] = (),
    payer: Payer = NOBODY,
) -> list[float]:
    """A score for each document, in their order; raises GatewayError, RerankerUnavailable."""
    if name == LOCAL_NAME:
        vectors = await asyncio.to_thread(local_embedder().embed, [query, *documents])
        return [float(score) for score in vectors[1:] @ vectors[0]]
    routes = await find_rerank_routes(name, demands)
    return await score(routes, query, documents, payer)


async def score(
    routes: Sequence[Route],
    query: str,
    documents: Sequence[str],
    payer: Payer = NOBODY,
    record: Record = record_shared_call,
) -> list[float]:
    """From these routes; one usage row for each call."""
    board = current_board()

    async def go(trip: Trip) -> list[float]:
        route = trip.route

        async def enter() -> tuple[list[float], TokenUsage]:
            async with board.gate(route).slot(payer.account_id, route.queue_timeout):
                return await request_scores(current_pool(), route, query, documents)

        async def tell(end: Outcome) -> None:
            await record(_record(trip, query, documents, end), {payer: 1})
            await spending.end(end.usage, heard=0 if end.outcome in UNBROKEN else None)

        spending = Spending.on_texts(payer, route, texts)
        await spending.begin()
        return await metered(route, enter, tell)

    texts = [query + document for document in documents]
    return await run_errand(routes, needs_of_texts(texts), go)


async def request_scores(
    pool: Pool, route: Route, query: str, documents: Sequence[str]
) -> tuple[list[float], TokenUsage]:
    """One request, once more for each thing that the server turns out to call otherwise."""
    known = (route.base_url, route.upstream_name)
    dialect = _learned.get(known, _USUAL)
    patience = route.timeouts.first_token + SECONDS_EACH * len(documents)
    while True:
        body = {**route.extra_body, "model": route.upstream_name, "query": query}
        body[dialect.documents] = list(documents)
        url = f"{root_url(route)}/rerank" if dialect.is_above_v1 else route.url("rerank")
        seconds = min(patience, route.timeouts.total)
        try:
            answer = await ask(pool, route, url, body, seconds, largest=LARGEST_ANSWER)
        except (BadRequest, ModelNotFound) as error:
            other = _other(dialect, route, error)
            if other is None:
                raise
            dialect = other
            continue
        if dialect != _learned.get(known, _USUAL):
            if len(_learned) >= REMEMBERED_SERVERS:
                _learned.clear()
            _learned[known] = dialect
        return _scores(answer, len(documents))


def _other(dialect: Dialect, route: Route, error: BadRequest | ModelNotFound) -> Dialect | None:
    """How to ask the server that refused this; None when the refusal is about something else."""
    if isinstance(error, ModelNotFound):
        has_root = root_url(route) != route.base_url.rstrip("/")
        return None if dialect.is_above_v1 or not has_root else Dialect(is_above_v1=True)
    is_about_texts = "texts" in error.detail and not isinstance(error, ContextOverflow)
    if dialect.documents == "texts" or not is_about_texts:
        return None
    return Dialect(dialect.is_above_v1, "texts")


def _scores(answer: Any, count: int) -> tuple[list[float], TokenUsage]:
    """Results come best first, and name their documents by number."""
    try:
        usage = None
        found = answer
        if isinstance(answer, dict):
            found, usage = answer.get("results", answer.get("data")), answer.get("usage")
        by_index = {one["index"]: _score(one) for one in found}
        return [by_index[n] for n in range(count)], input_usage(usage)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise UpstreamFailed(Sentence("no_reranking")) from error


def _score(one: dict[str, Any]) -> float:
    value = float(one["relevance_score"] if "relevance_score" in one else one["score"])
    if not math.isfinite(value):
        raise ValueError(value)
    return value


def _record(trip: Trip, query: str, documents: Sequence[str], end: Outcome) -> CallRecord:
    count = len(documents)
    return CallRecord(
        None,
        NOBODY,  # the row has its own
        trip.route.model,
        trip.route.endpoint,
        end.usage,
        end.outcome,
        None,
        end.total_ms,
        deployment_id=trip.route.deployment_id,
        attempt=trip.number,
        why=together([Sentence("scores", n=count), trip.why]),
        detail=end.detail,
        route=trip.route,
        estimate=Estimate(sum(estimate_tokens(query + document) for document in documents)),
        heard=0 if end.outcome in UNBROKEN else None,
    )
