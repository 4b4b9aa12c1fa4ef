"""How well documents answer a query: scores of a rerank model, as Cohere, Jina and vLLM tell them.

Without an endpoint the embedded embedder stands in: the cosine of query and document. It is weaker
than a model made for it, and says no more than the search does.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import aiohttp
import orjson

from gateway.embedding.embedder import LOCAL_NAME
from gateway.embedding.local import local_embedder
from gateway.errors import (
    EndpointTimeout,
    GatewayError,
    UpstreamFailed,
    error_for_exception,
    error_for_response,
)
from gateway.labels import Demand, labels_of, require_labels
from gateway.models import Model
from gateway.routing.routes import list_routes
from gateway.types import Route
from gateway.upstream.dialect import request_headers
from gateway.upstream.session import current_pool
from observability.patience import run_patiently
from security.secrets import hint

LARGEST_ANSWER = 8 * 1024 * 1024  # bytes


class RerankerUnavailable(Exception):
    """No enabled endpoint offers a rerank model of this name."""


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
    name: str, query: str, documents: Sequence[str], demands: Sequence[Demand] = ()
) -> list[float]:
    """A score for each document, in their order; raises GatewayError, RerankerUnavailable."""
    if name == LOCAL_NAME:
        vectors = await asyncio.to_thread(local_embedder().embed, [query, *documents])
        return [float(score) for score in vectors[1:] @ vectors[0]]
    failure: GatewayError = UpstreamFailed()
    for route in await find_rerank_routes(name, demands):
        try:
            return await _ask(route, query, documents)
        except GatewayError as error:
            error.detail = error.detail.replace(route.api_key or "\0", hint(route.api_key))
            failure = error
            if not error.may_switch:
                break
    raise failure


async def _ask(route: Route, query: str, documents: Sequence[str]) -> list[float]:
    body = {"model": route.upstream_name, "query": query, "documents": list(documents)}
    try:
        async with asyncio.timeout(route.timeouts.first_token):
            async with current_pool().http.post(
                route.url("rerank"),
                data=orjson.dumps({**route.extra_body, **body}),
                headers=request_headers(route) | {"Accept": "application/json"},
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=route.timeouts.connect),
                allow_redirects=False,  # the key must not follow to another host
            ) as response:
                answer = await response.content.read(LARGEST_ANSWER)
                while not response.content.at_eof() and len(answer) < LARGEST_ANSWER:
                    answer += await response.content.read(LARGEST_ANSWER - len(answer))
    except TimeoutError as error:
        raise EndpointTimeout from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise error_for_exception(error) from error
    if response.status != 200:
        raise error_for_response(response.status, answer, response.headers)
    return _scores(answer, len(documents))


def _scores(answer: bytes, count: int) -> list[float]:
    """Results come best first, and name their documents by number."""
    try:
        payload: Any = orjson.loads(answer)
        found = {one["index"]: float(one["relevance_score"]) for one in payload["results"]}
        return [found[n] for n in range(count)]
    except (orjson.JSONDecodeError, LookupError, TypeError, ValueError) as error:
        raise UpstreamFailed("It answered with something that is no reranking.") from error
