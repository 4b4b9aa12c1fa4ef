"""Our gateway against a server that is not ours: what it says is noise, how it says it is not."""

import asyncio
import json
from dataclasses import replace

import pytest

from gateway.chat import stream_chat
from gateway.controls import Capability, Controls
from gateway.errors import ContextOverflow, UnsupportedControl
from gateway.types import ChatRequest, Chunk, Completed, PromptMessage, Route, TextDelta, ToolCalls
from gateway.upstream.asking import ask
from gateway.upstream.emulation import open_answer
from gateway.upstream.probing import abilities, identity, trials
from gateway.upstream.probing.abilities import find_abilities
from gateway.upstream.servers import Server, root_url
from gateway.upstream.session import close_pool, current_pool

# tests.foreign.tiny_model: the token that opens a call, and the one that ends an answer.
ONE_CALL = {"5": 100, "4": 200}
SYSTEM = PromptMessage("system", "You are terse.")
ASKED = (SYSTEM, PromptMessage("user", "Say yes or no."))
SCHEMA = {
    "type": "object",
    "properties": {
        "verdict": {"type": "string", "enum": ["pass", "fail"]},
        "score": {"type": "integer", "minimum": 0, "maximum": 10},
    },
    "required": ["verdict", "score"],
    "additionalProperties": False,
}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "enum": ["Paris", "Oslo"]}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}


@pytest.fixture(scope="module")
def route(llama_url):
    """As the gateway knows the deployment after “Test connection”."""
    bare = Route("tiny", "tiny", "llama", llama_url)
    with pytest.MonkeyPatch.context() as patch:  # a busy machine finds as much as a calm one
        patch.setattr(trials, "SECONDS", 60)
        patch.setattr(identity, "SECONDS", 60)
        patch.setattr(abilities, "TOTAL_SECONDS", 100)
        (found,) = find_abilities([(bare, "chat")])
    can = frozenset(name for name, is_able in found.abilities.items() if is_able)
    lacks = frozenset(found.abilities) - can
    return replace(
        bare,
        server=found.identity.server.value,
        context_length=found.identity.context_length,
        capabilities=can,
        lacks=lacks,
    )


class Answered:
    def __init__(self, items, call):
        self.items = items
        self.usage = call.usage
        self.finish_reason = call.finish_reason

    @property
    def text(self):
        return "".join(i.text for i in self.items if isinstance(i, TextDelta | Chunk))

    @property
    def calls(self):
        return [call for item in self.items if isinstance(item, ToolCalls) for call in item.calls]


async def answer(route, **request):
    fields = {"messages": ASKED, "max_tokens": 12, "temperature": 0.0} | request
    async with open_answer(route, ChatRequest("tiny", **fields)) as call:
        items = []
        while found := await call.read():
            items += found
    return Answered(items, call)


def run(scenario):
    async def closing():
        try:
            return await scenario
        finally:
            await close_pool()

    return asyncio.run(closing())


def asked(route, **request):
    return run(answer(route, **request))


def test_the_test_finds_who_it_is_and_what_it_can(route):
    assert route.server == Server.LLAMA_CPP
    assert route.context_length == 2048
    assert route.capabilities >= {
        Capability.TOOLS, Capability.JSON_SCHEMA, Capability.GRAMMAR, Capability.REGEX,
        Capability.CHOICES, Capability.LOGPROBS, Capability.LOGIT_BIAS, Capability.TOKENIZE,
        Capability.LORA, Capability.PREFIX,
    }  # fmt: skip
    assert {Capability.VISION, Capability.PREDICTION} <= route.lacks


def test_streams_the_same_for_the_same_seed(route):
    controls = Controls(seed=3, top_p=0.9, top_k=20, min_p=0.01, repetition_penalty=1.1)
    first, second = (asked(route, temperature=1.0, controls=controls) for _ in range(2))
    assert first.text == second.text != ""
    assert first.finish_reason == "length"
    assert first.usage.completion_tokens == 12


def test_a_repeated_beginning_is_not_read_again(route):
    asked(route)
    assert asked(route).usage.cached_tokens > 40


@pytest.mark.parametrize("seed", range(5))
def test_json_schema_is_always_kept(route, seed):
    controls = Controls(json_schema=SCHEMA, seed=seed)
    found = json.loads(asked(route, max_tokens=400, temperature=1.0, controls=controls).text)
    assert found.keys() == {"verdict", "score"}
    assert found["verdict"] in {"pass", "fail"}
    assert 0 <= found["score"] <= 10


def test_forms_are_kept(route):
    hot = {"temperature": 1.5, "max_tokens": 40}
    assert asked(route, controls=Controls(grammar='root ::= "yes" | "no"'), **hot).text in {
        "yes",
        "no",
    }
    choices = ("perhaps", 'a "quoted" one', "也许")
    assert asked(route, controls=Controls(choices=choices), **hot).text in choices
    found = asked(route, controls=Controls(regex=r"[ab]{2}/\d{3}"), **hot).text
    assert found[:2].strip("ab") == ""
    assert (found[2], len(found)) == ("/", 6)


def test_words_are_wanted_and_banned(route):
    def said(**bias):
        return asked(route, controls=Controls(word_bias=bias)).text

    assert said(no=100).replace("no", "").strip() == ""
    assert said(no=-100, th=100).replace("th", "").strip() == ""


def test_chunks_carry_log_probabilities(route):
    controls = Controls(logprobs=True, top_logprobs=3)
    found = asked(route, wants_chunks=True, max_tokens=3, controls=controls)
    told = [
        token
        for chunk in found.items
        for choice in chunk.payload.get("choices", ())
        for token in (choice.get("logprobs") or {}).get("content") or ()
    ]
    assert told
    assert all(len(token["top_logprobs"]) == 3 for token in told)


def test_several_answers_as_chunks(route):
    found = asked(route, wants_chunks=True, extra={"n": 2})
    numbers = {choice["index"] for chunk in found.items for choice in chunk.payload["choices"]}
    assert numbers == {0, 1}


def test_tool_calls_come_whole(route):
    found = asked(
        route,
        max_tokens=600,
        tools=(WEATHER,),
        tool_choice="required",
        controls=Controls(logit_bias=ONE_CALL, seed=1),
        extra={"parallel_tool_calls": False},
    )
    assert found.finish_reason == "tool_calls"
    assert [call.name for call in found.calls] == ["get_weather"]
    assert json.loads(found.calls[0].arguments)["city"] in {"Paris", "Oslo"}


def test_an_adapter_by_its_name(route):
    plain = asked(route).text
    assert asked(route, controls=Controls(lora="pirate")).text != plain
    assert asked(route).text == plain
    with pytest.raises(UnsupportedControl, match="no adapter “ninja”, but: pirate"):
        asked(route, controls=Controls(lora="ninja"))


def test_too_long_is_said_with_numbers(route):
    with pytest.raises(ContextOverflow) as raised:
        asked(route, messages=(PromptMessage("user", "x " * 4000),))
    assert raised.value.limit == 2048
    assert raised.value.prompt_tokens > 8000


def test_goes_on_behind_a_beginning(route):
    """The second half of an answer is what it would have been."""
    whole = asked(route, max_tokens=24, controls=Controls(word_bias={"yes": 90, "the": 90})).text
    begun = whole[: len(whole) // 2]
    rest = asked(route, continues=begun, controls=Controls(word_bias={"yes": 90, "the": 90})).text
    assert rest
    assert (begun + rest).startswith(whole[: len(begun) + 4])


def test_leaving_frees_the_slot(route):
    async def leave():
        request = ChatRequest("tiny", ASKED, temperature=1.0, max_tokens=1900)
        async with open_answer(route, request) as call:
            assert await call.read()
        for _ in range(200):
            slots = await ask(current_pool(), route, f"{root_url(route)}/slots")
            if not any(slot["is_processing"] for slot in slots):
                return True
            await asyncio.sleep(0.05)
        return False

    assert run(leave())


def test_embeddings(embedding_url):
    bare = Route("tiny", "tiny", "llama", embedding_url)
    (found,) = find_abilities([(bare, "embedding")])
    assert found.abilities[Capability.EMBEDDINGS]
    assert found.identity.server is Server.LLAMA_CPP


def test_vectors_of_equal_texts_are_equal(embedding_url):
    bare = Route("tiny", "tiny", "llama", embedding_url)
    body = {"model": "tiny", "input": ["the end", "a beginning", "the end"]}
    found = run(ask_at(bare, body))["data"]
    first, other, again = (row["embedding"] for row in found)
    assert len(first) == 64
    assert first == pytest.approx(again, abs=1e-3)
    assert first != pytest.approx(other, abs=1e-3)


async def ask_at(route, body):
    return await ask(current_pool(), route, route.url("embeddings"), body)


def test_the_whole_gateway_in_front_of_it(route):
    """Routing, metering and the stream's last word."""
    calls = []

    async def routes(name):
        return (route,)

    async def record(call):
        calls.append(call)

    async def listen():
        request = ChatRequest("tiny", ASKED, max_tokens=8, controls=Controls(choices=("yes", "no")))
        return [item async for item in stream_chat(request, routes=routes, record=record)]

    *items, done = run(listen())
    assert "".join(item.text for item in items) in {"yes", "no"}
    assert isinstance(done, Completed)
    assert (done.finish_reason, done.endpoint) == ("stop", "llama")
    assert [call.outcome for call in calls] == ["completed"]
    assert calls[0].usage == done.usage
    assert done.usage.prompt_tokens > 40
