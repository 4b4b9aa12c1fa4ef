"""`gateway.embedding.reranking`: every dialect of servers, routed and counted like chat."""

import asyncio
from uuid import uuid4

import pytest

from gateway.embedding import reranking
from gateway.errors import BadCredentials, BadRequest, ModelNotFound, UpstreamFailed
from gateway.models import Deployment, Endpoint, Model, Usage
from gateway.types import Payer, Route
from gateway.upstream.session import close_pool
from tests.support.model_server import Script

DOCUMENTS = ["Cars need petrol", "25 days of vacation", "vacation days and how many"]
QUERY = "how many vacation days"


@pytest.fixture(autouse=True)
def _nothing_is_learned(monkeypatch):
    monkeypatch.setattr(reranking, "_learned", {})


def run(question):
    async def ask():
        try:
            return await question
        finally:
            await close_pool()

    return asyncio.run(ask())


def scores(*urls, query=QUERY, rows=None):
    async def record(call, _shares):
        if rows is not None:
            rows.append(call)

    routes = [
        Route("r", "up", f"E{n}", url, "sk-secret-123456789", priority=n)
        for n, url in enumerate(urls)
    ]
    return run(reranking.score(routes, query, DOCUMENTS, record=record))


def test_scores_are_in_the_order_of_the_documents(model_server):
    rows = []
    assert scores(model_server.url, rows=rows) == [0, 0.5, 1]
    (call,) = rows
    assert (call.outcome, call.usage.prompt_tokens) == ("completed", 3)
    assert call.why.startswith("Scores of 3 documents.")
    sent = model_server.requests[-1].json
    assert sent == {"model": "up", "query": QUERY, "documents": DOCUMENTS}


@pytest.mark.parametrize(
    "told",
    [
        {"results": [{"index": n, "score": n} for n in (2, 0, 1)]},  # vLLM's older /score
        {"data": [{"index": n, "relevance_score": n} for n in (2, 0, 1)]},  # Voyage
        [{"index": n, "score": n} for n in (2, 0, 1)],  # TEI
    ],
)
def test_the_answers_of_other_servers(model_server, told):
    model_server.pages["/v1/rerank"] = told
    assert scores(model_server.url) == [0, 1, 2]


def test_a_page_above_v1_is_found_once(model_server):
    model_server.pages["/rerank"] = [{"index": n, "score": -n} for n in range(3)]
    assert scores(model_server.url) == scores(model_server.url) == [0, -1, -2]
    paths = [request.path for request in model_server.requests]
    assert paths == ["/v1/rerank", "/rerank", "/rerank"]


def test_documents_that_are_called_texts(model_server):
    refusal = {"message": "Failed to deserialize: missing field `texts`", "type": "Validation"}
    model_server.queue_reranks(Script(status=422, error=refusal))
    assert scores(model_server.url) == [0, 0.5, 1]
    assert model_server.requests[-1].json == {"model": "up", "query": QUERY, "texts": DOCUMENTS}


@pytest.mark.parametrize(
    "told",
    [
        {},
        [],
        {"results": [{"index": 0, "relevance_score": 1}]},
        {"results": [{"index": n, "relevance_score": "high"} for n in range(3)]},
        {"results": [{"index": n, "relevance_score": None} for n in range(3)]},
        {"results": {"index": 0}},
        7,
    ],
)
def test_nonsense_is_no_ranking(model_server, told):
    model_server.pages["/v1/rerank"] = told
    with pytest.raises(UpstreamFailed):
        scores(model_server.url)


def test_the_next_endpoint_answers_when_the_first_is_down(model_server):
    rows = []
    assert scores("http://127.0.0.1:9/v1", model_server.url, rows=rows)[2] == 1
    assert [call.outcome for call in rows] == ["endpoint_unreachable", "completed"]
    assert [call.attempt for call in rows] == [1, 2]


def test_a_refusal_is_told_without_the_key(model_server):
    refusal = Script(status=401, error={"message": "no such key: sk-secret-123456789"})
    model_server.queue_reranks(refusal)
    with pytest.raises(BadCredentials) as error:
        scores(model_server.url)
    assert "sk-secret-123456789" not in str(error.value)
    model_server.queue_reranks(Script(status=400, error={"message": "too many"}))
    with pytest.raises(BadRequest):
        scores(model_server.url, "http://127.0.0.1:9/v1")
    with pytest.raises(ModelNotFound):
        scores(model_server.url.removesuffix("/v1") + "/nothing")


@pytest.mark.django_db(transaction=True)
def test_models_of_the_kind_rerank_are_routed_and_counted(model_server):
    model = Model.objects.create(name="ranker", kind=Model.Kind.RERANK)
    endpoint = Endpoint.objects.create(name="E", base_url=model_server.url)
    Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="bge-reranker")
    account = uuid4()
    assert run(reranking.rerank("ranker", QUERY, DOCUMENTS, payer=Payer(account))) == [0, 0.5, 1]
    row = Usage.objects.get()
    assert (row.model_name, row.endpoint_name, row.account_id) == ("ranker", "E", account)
    assert (row.outcome, row.prompt_tokens) == ("completed", 3)
    with pytest.raises(reranking.RerankerUnavailable):
        run(reranking.rerank("another", QUERY, DOCUMENTS))
