"""“Test connection” finds what a deployment can do; a hand's correction counts more."""

import json
import time

import pytest

from gateway.controls import Capability
from gateway.models import Deployment, Endpoint, Model
from gateway.routing.routes import list_routes
from gateway.services import check_endpoint
from gateway.types import Route
from gateway.upstream.probing import abilities
from gateway.upstream.probing.abilities import find_abilities
from gateway.upstream.servers import Server
from tests.support.model_server import Script


def completion(text="Hello!", finish="stop", **message):
    choice = {"index": 0, "message": {"role": "assistant", "content": text} | message}
    return {"choices": [choice | {"finish_reason": finish}], "usage": {"prompt_tokens": 9}}


def structured(body):
    """What a server of vLLM's kind makes of the fields for the form."""
    outputs = body.get("structured_outputs") or {}
    if "response_format" in body:
        return completion(json.dumps({"zq": 7}))
    if "choice" in outputs:
        return completion(outputs["choice"][0])
    if "regex" in outputs:
        return completion("qzy")
    if body.get("tools"):
        function = {"name": "get_weather", "arguments": "{}"}
        return completion(None, "tool_calls", tool_calls=[{"id": "1", "function": function}])
    if "logprobs" in body:
        answer = completion()
        answer["choices"][0]["logprobs"] = {"content": [{"token": "a", "logprob": 0}]}
        return answer
    return completion(reasoning_content="Let me think.")


def guided(body):
    if "guided_choice" in body:
        return completion(body["guided_choice"][0])
    return completion("no form at all")


def found_at(server, kind="chat", **route):
    (found,) = find_abilities([(Route("m", "up", "one", server.url, **route), kind)])
    return found


def can(found):
    return {name for name, is_able in found.abilities.items() if is_able}


def test_a_vllm(model_server):
    entry = {"id": "up", "owned_by": "vllm", "max_model_len": 8192}
    adapter = {"id": "pirate", "owned_by": "vllm", "parent": "up"}
    model_server.pages |= {
        "/v1/models": {"data": [entry, adapter]},
        "/v1/chat/completions": structured,
        "/tokenize": {"tokens": [1]},
    }
    found = found_at(model_server)
    assert (found.identity.server, found.identity.context_length) == (Server.VLLM, 8192)
    assert can(found) == {
        Capability.VISION, Capability.TOOLS, Capability.JSON_SCHEMA, Capability.REGEX,
        Capability.CHOICES, Capability.REASONING, Capability.LOGPROBS, Capability.TOKENIZE,
        Capability.LORA, Capability.PREFIX,
    }  # fmt: skip
    assert found.abilities[Capability.GRAMMAR] is False
    assert found.sentence("up").startswith("up (vllm, 8192 tokens): images, tools, JSON Schema, ")
    assert found.as_json()["server"] == "vllm"


def test_an_older_vllm_obeys_the_other_fields(model_server):
    entry = {"id": "up", "owned_by": "vllm", "max_model_len": 8192}
    model_server.pages |= {"/v1/models": {"data": [entry]}, "/v1/chat/completions": guided}
    found = found_at(model_server)
    assert found.identity.server is Server.VLLM_GUIDED
    assert Capability.CHOICES in can(found)


def test_a_server_that_ignores_everything_can_do_nothing(model_server):
    model_server.pages["/v1/chat/completions"] = completion()
    found = found_at(model_server)
    assert can(found) == {Capability.VISION}  # a picture that nobody refuses
    assert found.as_json().get("server") is None
    assert Capability.LOGIT_BIAS not in found.abilities  # untried: nobody tells its tokens


def test_what_could_not_be_tried_is_left_out(model_server):
    model_server.default = Script(status=429)
    untried = {Capability.TOOLS, Capability.VISION, Capability.JSON_SCHEMA, Capability.LOGPROBS}
    assert not untried & set(found_at(model_server).abilities)


def test_a_server_that_hangs_takes_no_longer_than_the_limit(model_server, monkeypatch):
    monkeypatch.setattr(abilities, "TOTAL_SECONDS", 1.0)
    model_server.default = Script(head_delay=60)
    started = time.monotonic()
    found = found_at(model_server)
    assert time.monotonic() - started < 15
    assert Capability.TOOLS not in found.abilities


@pytest.mark.parametrize(
    ("path", "page", "server"),
    [
        ("/api/version", {"version": "0.9"}, Server.OLLAMA),
        ("/info", {"router": "text-generation-router"}, Server.TGI),
    ],
)
def test_servers_that_tell_who_they_are_elsewhere(model_server, path, page, server):
    model_server.pages |= {path: page, "/v1/chat/completions": completion()}
    assert found_at(model_server).identity.server is server


def test_embedding_and_reranking_models(model_server):
    assert can(found_at(model_server, "embedding")) == {Capability.EMBEDDINGS}
    model_server.pages["/v1/rerank"] = {}
    assert not can(found_at(model_server, "rerank"))
    scores = [{"index": n, "relevance_score": 1 - n} for n in range(2)]
    model_server.pages["/v1/rerank"] = {"results": scores}
    assert can(found_at(model_server, "rerank")) == {Capability.RERANK}


@pytest.mark.django_db
def test_a_row_keeps_what_was_found_and_what_was_corrected(model_server):
    model_server.pages |= {
        "/v1/models": {"data": [{"id": "up", "owned_by": "vllm", "max_model_len": 8192}]},
        "/v1/chat/completions": structured,
    }
    endpoint = Endpoint.objects.create(name="one", base_url=model_server.url)
    model = Model.objects.create(name="m", context_length=4096)
    by_hand = {"grammar": True, "tools": False}
    deployment = Deployment.objects.create(
        model=model, endpoint=endpoint, upstream_name="up", capabilities=by_hand
    )
    result = check_endpoint(endpoint)
    assert result.ok
    assert "1 models offered. up (vllm, 8192 tokens): " in result.message
    deployment.refresh_from_db()
    assert deployment.capabilities == by_hand
    assert (deployment.probed["tools"], deployment.probed["grammar"]) == (True, False)
    (route,) = list_routes("m")
    assert (route.server, route.context_length) == ("vllm", 8192)
    assert {Capability.GRAMMAR, Capability.JSON_SCHEMA} <= route.capabilities
    assert {Capability.TOOLS, Capability.PREDICTION} <= route.lacks
