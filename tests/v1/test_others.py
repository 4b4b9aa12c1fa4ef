"""Models, embeddings, reranking and the older completions, against a real web process."""

import json
import urllib.error
import urllib.request

import openai
import pytest

from accounts import tokens
from gateway.embedding.local import LOCAL_NAME
from gateway.models import Deployment, Endpoint, Model
from tests.support.model_server import Script, text_vector
from tests.v1.streams import lines

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
]


def send(port, path, body=None, *, method="POST", key="", **headers):
    """Status, headers and JSON of any request at all."""
    url = f"http://127.0.0.1:{port}/v1/{path}"
    sent = {"Authorization": f"Bearer {key}"} if key else {}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, sent | headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, response.headers, json.loads(response.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, json.loads(error.read() or b"null")


def test_models_are_those_that_one_may_name(client, served, plain, charlie):
    listed = {model.id: model for model in client.models.list()}
    assert {"scripted", "plain", LOCAL_NAME} <= set(listed)
    assert (listed["plain"].kind, listed["scripted"].kind) == ("agent", "chat")
    assert client.models.retrieve("plain").name == "Plain"
    stranger = client.with_options(api_key=tokens.issue(charlie, "t")[1])
    assert "plain" not in {model.id for model in stranger.models.list()}
    for name in ("plain", "nobody"):
        with pytest.raises(openai.NotFoundError) as error:
            stranger.models.retrieve(name)
        assert error.value.code == "model_not_found"


def test_embeddings_of_the_embedded_model_and_of_an_endpoint(client, served, web_port, key):
    texts = ["A cat.", "年假有几天？"]
    packed = client.embeddings.create(model=LOCAL_NAME, input=texts)
    plain = client.embeddings.create(model=LOCAL_NAME, input=texts, encoding_format="float")
    assert [len(one.embedding) for one in packed.data] == [384, 384]
    for one, other in zip(packed.data, plain.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-6)
        assert sum(x * x for x in one.embedding) == pytest.approx(1, abs=1e-4)
    assert plain.usage.prompt_tokens > 4
    endpoint = Endpoint.objects.get()
    model = Model.objects.create(name="far", kind=Model.Kind.EMBEDDING)
    Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="far-embedder")
    far = client.embeddings.create(model="far", input="A cat.", encoding_format="float")
    assert far.data[0].embedding == pytest.approx(text_vector("A cat."), abs=1e-4)
    for refused in (
        {"input": [[10**9]]},
        {"input": []},
        {"input": ""},
        {"input": "x", "dimensions": 7},
    ):
        with pytest.raises(openai.BadRequestError):
            client.embeddings.create(**{"model": LOCAL_NAME} | refused)
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="nobody", input="x")


def test_reranking_in_the_shape_of_cohere_and_jina(served, web_port, key):
    documents = ["Cars need petrol.", {"text": "Employees have 25 days of vacation."}]
    body = {"model": LOCAL_NAME, "query": "How many vacation days?", "documents": documents}
    status, _, told = send(web_port, "rerank", body | {"return_documents": True}, key=key)
    assert status == 200
    assert [one["index"] for one in told["results"]] == [1, 0]
    best = told["results"][0]
    assert best["document"] == {"text": "Employees have 25 days of vacation."}
    assert best["relevance_score"] > told["results"][1]["relevance_score"]
    assert len(send(web_port, "rerank", body | {"top_n": 1}, key=key)[2]["results"]) == 1
    for wrong in ({"query": ""}, {"documents": []}, {"documents": [1]}, {"top_n": 0}):
        assert send(web_port, "rerank", body | wrong, key=key)[0] == 400
    assert send(web_port, "rerank", body | {"model": "nobody"}, key=key)[0] == 404


def test_the_older_completions(client, served):
    served.queue(Script(text="upon a time"), Script(text="a king"), Script(text="streamed"))
    said = client.completions.create(model="scripted", prompt=["Once", "was"], echo=True)
    assert [choice.text for choice in said.choices] == ["Onceupon a time", "wasa king"]
    assert (said.object, said.usage.total_tokens) == ("text_completion", 30)
    found = list(client.completions.create(model="scripted", prompt="Once", stream=True))
    assert "".join(chunk.choices[0].text for chunk in found) == "streamed"
    entry = {"token": "Y", "logprob": -0.5, "top_logprobs": [{"token": "Y", "logprob": -0.5}]}
    told = {"index": 0, "delta": {"content": "Y"}, "finish_reason": "stop",
            "logprobs": {"content": [entry]}}  # fmt: skip
    served.queue(Script(raw=lines({"choices": [told]})))
    told = client.completions.create(model="scripted", prompt="?", logprobs=1).choices[0].logprobs
    assert (told.tokens, told.token_logprobs, told.top_logprobs) == (["Y"], [-0.5], [{"Y": -0.5}])
    with pytest.raises(openai.BadRequestError):
        client.completions.create(model="scripted", prompt=[1, 2])


def test_only_the_token_counts_and_other_sites_get_nothing(served, web_port, key):
    body = {"model": "scripted", "messages": [{"role": "user", "content": "Hello?"}]}
    status, headers, told = send(web_port, "chat/completions", body)
    assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
    assert set(told["error"]) == {"message", "type", "param", "code"}
    status, headers, _ = send(
        web_port, "chat/completions", body, key=key, Origin="https://evil.example", Cookie="x=y"
    )
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, None)
    status, headers, _ = send(web_port, "chat/completions", method="OPTIONS")
    assert (status, headers["Allow"]) == (204, "POST, OPTIONS")
    assert send(web_port, "chat/completions", method="GET", key=key)[0] == 405
    status, _, told = send(web_port, "assistants", {}, key=key)
    assert (status, told["error"]["code"]) == (404, "unknown_url")


def test_rubbish_is_never_answered_with_5xx(served, web_port, key):
    odd = [None, [], {}, "x", 0, -1, 1e308, True, [[]], [{}], {"a": {}}, "\x00", "y" * 5000]
    usual = {
        "chat/completions": {"model": "scripted", "messages": [{"role": "user", "content": "?"}]},
        "completions": {"model": "scripted", "prompt": "?"},
        "responses": {"model": "scripted", "input": "?"},
        "embeddings": {"model": LOCAL_NAME, "input": "?"},
        "rerank": {"model": LOCAL_NAME, "query": "?", "documents": ["?"]},
    }
    more = (
        "n", "temperature", "stop", "tools", "tool_choice", "logit_bias", "response_format",
        "stream_options", "text", "reasoning", "include", "dimensions", "encoding_format", "top_n",
        "logprobs", "seed", "prediction", "echo", "best_of", "instructions",
    )  # fmt: skip
    failed, taken = [], 0
    for path, body in usual.items():
        for number, name in enumerate([*body, *more]):
            for value in (odd[number % len(odd)], odd[(5 * number + 3) % len(odd)]):
                status, _, told = send(web_port, path, body | {name: value}, key=key)
                taken += status == 200
                if status >= 500 or (status != 200 and "error" not in told):
                    failed.append((status, path, name, value))
    assert failed == []
    assert taken > 20
    for raw in (b"", b"{", b"[]", b"\xff", b"[" * 20_000, b'{"model": "\\ud800"}'):
        url = f"http://127.0.0.1:{web_port}/v1/chat/completions"
        request = urllib.request.Request(url, raw, {"Authorization": f"Bearer {key}"})
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(request, timeout=60)
        error.value.close()
        assert error.value.code == 400
