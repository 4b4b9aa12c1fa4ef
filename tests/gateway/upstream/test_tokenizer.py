"""Words become the tokens of the very model that is asked."""

import asyncio

import pytest

from gateway.controls import Capability, Controls
from gateway.errors import BadRequest, UnsupportedControl, UpstreamFailed
from gateway.types import Route
from gateway.upstream.resolving import resolve
from gateway.upstream.servers import Server
from gateway.upstream.session import close_pool, current_pool
from gateway.upstream.vocabulary import bundled_tokens, encoding_of

CAN = frozenset({Capability.LOGIT_BIAS, Capability.TOKENIZE, Capability.LORA})


def bias(url, words, server=Server.LLAMA_CPP, name="up", can=CAN - {Capability.LORA}):
    route = Route("m", name, "one", url, server=server, capabilities=can)

    async def both():
        try:
            first = await resolve(current_pool(), route, Controls(word_bias=words))
            return (
                first
                if first == await resolve(current_pool(), route, Controls(word_bias=words))
                else None
            )
        finally:
            await close_pool()

    return asyncio.run(both()).bias


@pytest.mark.parametrize(
    ("model", "text", "ids"),
    [
        ("gpt-4o", "hello", [24912]),
        ("gpt-4o", " hello", [40617]),
        ("gpt-4.1-mini", "antidisestablishmentarianism", [493, 129901, 376, 160388, 21203, 2367]),
        ("gpt-4o", "don't", [91418]),
        ("gpt-4o", " GPT-4", [174803, 12, 19]),
        ("gpt-4", " 你好", [220, 57668, 53901]),
        ("gpt-4-turbo", "don't", [15357, 956]),
        ("gpt-3.5-turbo", "café", [936, 59958]),
    ],
)
def test_the_bundled_vocabularies_agree_with_tiktoken(model, text, ids):
    assert [number for number, _text in bundled_tokens(model, text)] == ids


def test_whose_vocabulary_it_is():
    names = ("gpt-5-mini", "o3", "ft:gpt-4o:me", "gpt-4-0613", "llama-3", "gpt-oss-20b")
    found = ["o200k_base"] * 3 + ["cl100k_base", "", ""]
    assert [encoding_of(name) for name in names] == found


def test_openai_has_no_page_for_it_and_needs_none():
    found = bias("https://api.openai.com/v1", {"hello": -100}, Server.OPENAI, "gpt-4o", frozenset())
    assert found == {"24912": -100, "40617": -100}


PIECES = {
    "night": [(1, "night")],
    " night": [(2, " "), (1, "night")],
    "x": [(3, "x")],
    " x": [(4, " x")],
}


def llama(body):
    return {"tokens": [{"id": number, "piece": text} for number, text in PIECES[body["content"]]]}


def vllm(body):
    found = PIECES[body["prompt"]]
    return {"tokens": [n for n, _ in found], "token_strs": [text for _, text in found]}


@pytest.mark.parametrize(("server", "page"), [(Server.LLAMA_CPP, llama), (Server.VLLM, vllm)])
def test_a_banned_word_of_several_tokens_loses_its_longest(model_server, server, page):
    model_server.pages["/tokenize"] = page
    assert bias(model_server.url, {"night": -100, "x": 5}, server) == {"1": -100, "3": 5, "4": 5}
    assert len(model_server.requests) == 4  # and none the second time


def test_a_wanted_word_of_several_tokens_gets_all(model_server):
    model_server.pages["/tokenize"] = llama
    assert bias(model_server.url, {"night": 5}) == {"1": 5, "2": 5}


@pytest.mark.parametrize("page", [{}, {"tokens": 7}, {"tokens": [{"id": 1}]}, []])
def test_odd_answers_are_named(model_server, page):
    model_server.pages["/tokenize"] = page
    with pytest.raises(UpstreamFailed, match="did not tell the tokens"):
        bias(model_server.url, {"x": 5})


def test_without_a_tokenizer_it_is_refused(model_server):
    with pytest.raises(UnsupportedControl, match="Its tokenizer is not known"):
        bias(model_server.url, {"x": 5}, "", can=frozenset({Capability.LOGIT_BIAS}))
    with pytest.raises(BadRequest, match="At most 100 words"):
        bias(model_server.url, {str(number): 1 for number in range(101)})


def lora(url, name, server=Server.LLAMA_CPP, can=CAN):
    route = Route("m", "up", "one", url, server=server, capabilities=can)

    async def resolved():
        try:
            return await resolve(current_pool(), route, Controls(lora=name))
        finally:
            await close_pool()

    return asyncio.run(resolved()).lora


def test_adapters_by_name(model_server):
    model_server.pages["/lora-adapters"] = [
        {"id": 0, "path": "/models/pirate.gguf", "scale": 0.5},
        {"id": 1, "path": "ninja.gguf", "scale": 0.0},
    ]
    ninja = {"lora": [{"id": 0, "scale": 0.0}, {"id": 1, "scale": 1.0}]}
    usual = {"lora": [{"id": 0, "scale": 0.5}, {"id": 1, "scale": 0.0}]}
    assert lora(model_server.url, "ninja") == ninja
    assert lora(model_server.url, "") == usual
    with pytest.raises(UnsupportedControl, match="“cook”, but: pirate, ninja"):
        lora(model_server.url, "cook")
    assert lora(model_server.url, "ninja", Server.VLLM) == {"model": "ninja"}
    for server in (Server.OLLAMA, Server.UNKNOWN):  # there it could be quite another model
        with pytest.raises(UnsupportedControl):
            lora(model_server.url, "ninja", server)
    with pytest.raises(UnsupportedControl):
        lora(model_server.url, "ninja", Server.VLLM, can=frozenset())
