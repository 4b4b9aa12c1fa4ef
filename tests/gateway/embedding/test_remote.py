"""`gateway.embedding.remote` as its callers use it: routed, sent together, remembered, counted."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import numpy as np
import pytest

from caching.flushing import flush
from gateway.embedding.remote import REQUEST_TEXTS, RemoteEmbedder
from gateway.errors import BadRequest, RateLimited, UpstreamFailed
from gateway.models import Model
from gateway.types import Payer, Route
from gateway.upstream.session import close_pool
from tests.support.model_server import Script, text_vector

ACCOUNT = Payer(uuid4())


@pytest.fixture(autouse=True)
def _nothing_is_remembered():
    flush("vectors")


class Asker:
    """An embedder of these endpoints, and the records of its calls."""

    def __init__(self, *urls, dimensions=None, remember=True, **more):
        self.rows = []
        routes = [
            Route(
                "m",
                "up",
                f"E{n}",
                url,
                deployment_id=uuid4(),
                endpoint_id=uuid4(),
                priority=n,
                **more,
            )
            for n, url in enumerate(urls)
        ]
        self.embedder = RemoteEmbedder(
            Model(name="m", dimensions=dimensions),
            routes,
            payer=ACCOUNT,
            remember=remember,
            record=self.record,
        )

    async def record(self, call, shares):
        self.rows.append((call, dict(shares)))

    def told(self):
        return [call.outcome for call, _ in self.rows]


def run(question):
    async def ask():
        try:
            return await question
        finally:
            await close_pool()

    return asyncio.run(ask())


def is_of(vectors, texts):
    return np.allclose(vectors, [text_vector(text) for text in texts], atol=1e-5)


def test_threads_share_calls_too(model_server):
    asker = Asker(model_server.url, remember=False)
    model_server.queue_embeddings(Script(head_delay=0.3))
    texts = [f"question {n}" for n in range(24)]
    with ThreadPoolExecutor(24) as pool:
        found = list(pool.map(lambda text: asker.embedder.embed([text]), texts))
    assert all(is_of(vectors, [text]) for vectors, text in zip(found, texts, strict=True))
    assert len(model_server.embedded) < len(texts)
    assert sorted(text for sent in model_server.embedded for text in sent) == sorted(texts)


def test_many_texts_go_in_requests_of_bounded_size_equal_ones_once(model_server):
    asker = Asker(model_server.url)
    texts = [f"text {n % 300}" for n in range(600)]
    vectors = asker.embedder.embed(texts)
    assert is_of(vectors, texts)
    sent = model_server.embedded
    assert sum(map(len, sent)) == 300
    assert max(map(len, sent)) <= REQUEST_TEXTS
    assert {tuple(shares) for _, shares in asker.rows} == {(ACCOUNT,)}
    assert sum(call.usage.prompt_tokens for call, _ in asker.rows) == 300


def test_what_was_asked_lately_is_not_sent_again(model_server):
    first = Asker(model_server.url).embedder.embed(["a", "b"])
    again = Asker(model_server.url)
    second = again.embedder.embed(["c", "b", "a"])
    assert model_server.embedded == [["a", "b"], ["c"]]
    assert (second[[2, 1]] == first).all()
    assert is_of(second, ["c", "b", "a"])
    for _ in range(2):  # documents pass it by, and temporary chats leave nothing
        Asker(model_server.url, remember=False).embedder.embed(["d"])
    assert model_server.embedded[2:] == [["d"], ["d"]]


def test_a_failing_endpoint_is_asked_again_or_another_answers(model_server):
    asker = Asker("http://127.0.0.1:9/v1", model_server.url)
    model_server.queue_embeddings(Script(status=503))
    assert is_of(asker.embedder.embed(["text"]), ["text"])
    assert asker.told()[:2] == ["endpoint_unreachable", "upstream_failed"]
    assert asker.told()[-1] == "completed"
    assert [call.attempt for call, _ in asker.rows] == list(range(1, len(asker.rows) + 1))


def test_a_pause_that_is_asked_for_is_kept(model_server):
    asker = Asker(model_server.url)
    model_server.queue_embeddings(Script(status=429, headers={"Retry-After": "0.05"}))
    assert is_of(asker.embedder.embed(["text"]), ["text"])
    assert asker.told() == ["rate_limited", "completed"]
    model_server.queue_embeddings(*[Script(status=429, headers={"Retry-After": "600"})] * 2)
    with pytest.raises(RateLimited):
        asker.embedder.embed(["another"])


def test_one_bad_text_among_many_callers(model_server):
    def refuses(body):
        bad = any("bad" in text for text in body["input"])
        return Script(status=400, error={"message": "not this"}) if bad else Script()

    model_server.embed_default = refuses
    asker = Asker(model_server.url)

    async def ask():
        texts = [f"text {n}" for n in range(20)] + ["bad"]
        asked = [asker.embedder.embed_async([text]) for text in texts]
        return texts, await asyncio.gather(*asked, return_exceptions=True)

    texts, found = run(ask())
    assert isinstance(found.pop(), BadRequest)
    assert all(is_of(one, [text]) for one, text in zip(found, texts, strict=False))


def test_callers_who_leave_stop_the_call_upstream(model_server):
    model_server.queue_embeddings(Script(head_delay=60))
    asker = Asker(model_server.url)

    async def ask():
        task = asyncio.ensure_future(asker.embedder.embed_async(["text"]))
        assert await asyncio.to_thread(model_server.wait_for, lambda s: s.embedded, 30)
        task.cancel()
        await asyncio.wait([task])
        return await asyncio.to_thread(model_server.wait_for, lambda s: s.disconnects, 30)

    assert run(ask())
    assert asker.told() == ["cancelled"]


def test_the_limit_of_parallel_requests_holds(model_server):
    model_server.embed_default = Script(head_delay=0.02)
    asker = Asker(model_server.url, max_concurrency=2)

    async def ask():
        texts = [[f"{n} {m}" for m in range(40)] for n in range(12)]
        return await asyncio.gather(*map(asker.embedder.embed_async, texts))

    assert len(run(ask())) == 12
    assert 1 <= model_server.most_answering <= 2


@pytest.mark.parametrize(
    "told",
    [
        {},
        [],
        {"data": []},
        {"data": [{"index": 0}]},
        {"data": [{"index": 0, "embedding": "not base64!"}]},
        {"data": [{"index": 0, "embedding": [1, "x"]}]},
        {"data": [{"index": 0, "embedding": []}]},
        {"data": [{"index": 0, "embedding": 1}]},
        {"data": [{"index": 0, "embedding": [1, 2]}]},  # of a model with three
    ],
)
def test_nonsense_is_no_vector(model_server, told):
    model_server.pages["/v1/embeddings"] = told
    with pytest.raises(UpstreamFailed):
        Asker(model_server.url, dimensions=3).embedder.embed(["text"])


def test_the_deployments_own_fields_go_along(model_server):
    asker = Asker(model_server.url, extra_body={"dimensions": 8, "model": "not this"})
    assert asker.embedder.embed(["text", " "]).shape == (2, 8)
    sent = model_server.requests[-1].json
    assert (sent["dimensions"], sent["model"], sent["input"]) == (8, "up", ["text", " "])


def test_the_fastest_is_known_by_its_vectors(model_server):
    asker = Asker(model_server.url, model_server.url, remember=False, strategy="fastest")

    async def ask():
        for n in range(4):
            await asker.embedder.embed_async([f"text {n}"])

    run(ask())
    whys = [call.why for call, _ in asker.rows]
    assert "its speed is not known" in whys[0].lower()
    assert any("The faster of two" in why for why in whys)
