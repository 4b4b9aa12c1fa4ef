"""`POST /v1/rerank`, as Cohere, Jina and vLLM have it: which documents answer a query best."""

import asyncio
from typing import Any

from django.http import HttpRequest, JsonResponse

from accounts.tokens import Scope
from agents.openai import fields
from agents.openai.callers import Body, admit, endpoint, in_thread
from agents.openai.catalogue import name_of
from agents.openai.demands import demands_on
from agents.openai.embeddings import count_tokens
from agents.openai.errors import invalid, no_such_model
from agents.openai.sources import new_id
from gateway.embedding import reranking
from security.rate_limits import Action

MOST_DOCUMENTS = 1000


@endpoint("POST")
async def rerank(request: HttpRequest) -> JsonResponse:
    call = await admit(request, Action.SEARCHES, Scope.CHAT)
    name, query, documents = name_of(call.body), _query(call.body), _documents(call.body)
    top = fields.whole_number(call.body, "top_n")
    if top is not None and top < 1:
        raise invalid("'top_n' must be at least 1.", "top_n", "integer_below_min_value")
    try:
        demands = await in_thread(demands_on, call.user)
        scores = await reranking.rerank(name, query, documents, demands, call.payer())
    except reranking.RerankerUnavailable as error:
        raise no_such_model(name) from error
    best = sorted(range(len(documents)), key=lambda n: -scores[n])[:top]
    are_returned = fields.flag(call.body, "return_documents")
    results = [
        {"index": n, "relevance_score": scores[n]}
        | ({"document": {"text": documents[n]}} if are_returned else {})
        for n in best
    ]
    tokens = await asyncio.to_thread(count_tokens, name, [query, *documents])
    return JsonResponse(
        {
            "id": new_id("rerank-"),
            "object": "list",
            "model": name,
            "results": results,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
            "meta": {"billed_units": {"search_units": 1}},
        }
    )


def _query(body: Body) -> str:
    query = body.get("query")
    if not isinstance(query, str) or not query.strip():
        raise invalid("Send `query`: a string that is not empty.", "query")
    return query


def _documents(body: Body) -> list[str]:
    """Texts, or objects with a text."""
    given = body.get("documents")
    if not isinstance(given, list) or not given:
        raise invalid(
            "Send `documents`: an array of strings or of objects with `text`.", "documents"
        )
    if len(given) > MOST_DOCUMENTS:
        raise invalid(f"At most {MOST_DOCUMENTS} documents in one request.", "documents")
    texts: list[Any] = [one.get("text") if isinstance(one, dict) else one for one in given]
    if not all(isinstance(text, str) for text in texts):
        raise invalid("Each document is a string, or an object with `text`.", "documents")
    return texts
