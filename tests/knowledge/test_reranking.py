"""Reranking by everything that can do it, and by nothing: then the fused order stands."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers

from agents.finding import retrieve
from agents.types import AgentSpec, AgentTask, PassagesReranked, RetrievalCompleted
from events import jobs
from gateway.chat import stream_chat
from gateway.models import Deployment, Endpoint, Model
from gateway.routing.routes import forget_routes
from gateway.types import NOBODY, Route
from gateway.upstream.session import close_pool
from knowledge import services, tuned
from knowledge.models import SearchWeights
from knowledge.retrieval.reranking import Asked, put_in_order
from knowledge.retrieval.reranking.crossing import MODEL, TOKENIZER
from knowledge.retrieval.reranking.listwise import order_in
from knowledge.retrieval.understanding import understand
from knowledge.switches import Switch
from knowledge.types import SearchResult
from tests.agents.passages import passage
from tests.agents.test_whole_run import ask, of
from tests.knowledge.files import as_stream
from tests.support.model_server import Script

pytestmark = pytest.mark.django_db(transaction=True)

QUESTION = "When is the lamp lit?"
FOUND = tuple(
    replace(passage(text, n * 500), score=1 - n / 10, ranks={"alike": 0.1})
    for n, text in enumerate(
        ["Petrol is sold by the pier.", "Every lamp is the same.", "The lamp is lit at dusk."]
    )
)
IN_ORDER = [p.text for p in FOUND]


@pytest.fixture(autouse=True)
def _no_route_is_known():
    forget_routes()
    yield
    forget_routes()


def reranked(asked=None, depth=10, found=FOUND):
    async def run():
        try:
            return await put_in_order(asked or Asked(QUESTION), found, depth)
        finally:
            await close_pool()

    return asyncio.run(run())


def texts(result):
    return [p.text for p in result.passages]


def make_cross_encoder(folder: Path) -> None:
    """A real model of two nodes: a pair's score is how many of its pieces are the word "lit"."""
    words = ["[PAD]", "[UNK]", "lit", "lamp", "the"]
    tokenizer = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, "[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / TOKENIZER))
    ids = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["b", "n"])
    score = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["b", 1])
    nodes = [
        helper.make_node("Equal", ["input_ids", "lit"], ["is_lit"]),
        helper.make_node("Cast", ["is_lit"], ["ones"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["ones", "axis"], ["logits"], keepdims=1),
    ]
    given = [
        numpy_helper.from_array(np.array([2], np.int64), "lit"),
        numpy_helper.from_array(np.array([1], np.int64), "axis"),
    ]
    graph = helper.make_graph(nodes, "tiny", [ids], [score], given)
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), folder / MODEL)


@pytest.fixture
def endpoint(model_server):
    model = Model.objects.create(name="ranker", kind=Model.Kind.RERANK)
    endpoint = Endpoint.objects.create(name="E", base_url=model_server.url)
    return Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="bge")


def test_a_cross_encoder_on_this_machine(settings, tmp_path):
    make_cross_encoder(tmp_path)
    settings.PARLEY_CROSS_ENCODER = str(tmp_path)
    result = reranked(found=FOUND * 4)  # more than one batch
    assert (result.way, result.trouble, result.depth) == ("cross_encoder", "", 10)
    assert result.passages[0].text == "The lamp is lit at dusk."
    two = reranked(depth=2)  # the third was not looked at, and stays behind
    assert texts(two) == IN_ORDER
    assert [p.score for p in two.passages] == sorted((p.score for p in two.passages), reverse=True)


def test_a_broken_cross_encoder_changes_nothing(settings, tmp_path):
    make_cross_encoder(tmp_path)
    (tmp_path / MODEL).write_bytes(b"no model")
    settings.PARLEY_CROSS_ENCODER = str(tmp_path)
    result = reranked()
    assert (result.way, result.trouble, result.passages) == ("cross_encoder", "unavailable", FOUND)


def test_an_endpoint_comes_first(endpoint, model_server):
    result = reranked()
    assert (result.way, result.model, result.trouble) == ("endpoint", "ranker", "")
    assert texts(result)[-1] == "Petrol is sold by the pier."  # no word is shared
    assert model_server.requests[-1].json["documents"][0].endswith("Petrol is sold by the pier.")


def test_a_slow_endpoint_leaves_the_order(endpoint, model_server, settings):
    settings.PARLEY_RERANK_SECONDS = 0.2
    model_server.queue_reranks(Script(head_delay=30))
    result = reranked()
    assert (result.trouble, result.passages) == ("late", FOUND)


def by_model(model_server, **more):
    route = Route("m", "up", "one", model_server.url)

    async def routes(_name):
        return (route,)

    async def record(_call):
        pass

    def chat(request):
        free = replace(request, payer=NOBODY)
        return stream_chat(free, routes=routes, record=record)

    return Asked(QUESTION, model="m", chat=chat, routes=routes, **more)


def test_a_chat_model_orders_the_list(model_server):
    model_server.queue(Script(text="3, 2"))
    result = reranked(by_model(model_server))
    assert (result.way, result.model, result.trouble) == ("listwise", "m", "")
    assert texts(result) == [IN_ORDER[2], IN_ORDER[1], IN_ORDER[0]]
    (sent,) = model_server.chat_requests
    assert "The lamp is lit at dusk." in sent["messages"][1]["content"]


def test_what_is_no_order_changes_nothing(model_server):
    model_server.queue(Script(text="I would rather talk about the weather."))
    result = reranked(by_model(model_server))
    assert (result.trouble, result.passages) == ("nonsense", FOUND)


@pytest.mark.parametrize(
    ("said", "order"),
    [
        ("2, 1", [1, 0]),
        ("Passage 7 is out.\n[3] > [1]", [2, 0]),
        ("2, 2, 9, 0, 1", [1, 0]),
        ("none", []),
        ("", []),
    ],
)
def test_only_numbers_of_passages_count(said, order):
    assert order_in(said, 3) == order


def test_without_any_model_the_features_decide():
    first = replace(FOUND[0], ranks={"alike": 0.05})
    equal = replace(FOUND[2], score=FOUND[0].score, ranks={"alike": 0.9})
    result = reranked(found=(first, equal))
    assert (result.way, result.trouble) == ("features", "")
    assert texts(result) == ["The lamp is lit at dusk.", "Petrol is sold by the pier."]


@pytest.fixture
def lamps(alice, settings, tmp_path):
    collection = services.create_collection(alice, "Lamps")
    for n, text in enumerate(IN_ORDER):
        document, _ = services.add_document(alice, collection, as_stream(text), f"{n}.txt")
        jobs.run(str(document.job_id))
    make_cross_encoder(tmp_path)
    settings.PARLEY_CROSS_ENCODER = str(tmp_path)
    tuned.forget()
    yield collection
    tuned.forget()


SWITCHED_ON = ({Switch.RERANK: True},)


def test_a_run_says_how_it_ranked_and_only_if_it_is_switched_on(alice, lamps):
    assert not of(ask(alice, QUESTION), PassagesReranked)
    steps = ask(alice, QUESTION, said_by_collections=SWITCHED_ON)
    (step,) = of(steps, PassagesReranked)
    assert (step.way, step.trouble) == ("cross_encoder", "")
    (found,) = of(steps, RetrievalCompleted)
    assert found.passages[0].text == "The lamp is lit at dusk."
    assert any(s.stage == "reranked" for one in found.found.trace for s in one.stages)


def test_a_tuned_depth_counts_where_that_collection_alone_is_searched(alice, lamps):
    weights = SearchWeights.objects.create(collection=lamps, script="latin", rerank_depth=2)

    def depths(**more):
        tuned.forget()
        steps = ask(alice, QUESTION, said_by_collections=SWITCHED_ON, **more)
        return [step.depth for step in of(steps, PassagesReranked)]

    assert depths(collections=(lamps.pk,)) == [2]
    assert depths() == [3]  # all that was found: fewer than the house's own depth
    weights.rerank_depth = 0  # it was measured not to pay
    weights.save()
    assert depths(collections=(lamps.pk,)) == []


@pytest.mark.parametrize(("said", "limit"), [((), 6), (SWITCHED_ON, 40)])
def test_as_many_are_found_as_will_be_reranked(alice, lamps, said, limit):
    SearchWeights.objects.create(collection=lamps, script="latin", rerank_depth=40)
    tuned.forget()
    wanted = []

    async def search(user, query, collections, limit, *demands, **more):
        wanted.append(limit)
        return SearchResult(query, (), 0.0)

    task = AgentTask(AgentSpec(max_passages=3), alice, QUESTION, said_by_collections=said)
    understood = understand(QUESTION, (), (), datetime(2026, 11, 22, tzinfo=UTC))

    async def run():
        steps = retrieve(task, search, understood, [lamps.pk], budget=1000)
        return [step async for step in steps]

    asyncio.run(run())
    assert wanted == [limit]
