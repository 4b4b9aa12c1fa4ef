"""Who is told which beginning it has read before, and what servers count of it."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from gateway.controls import Capability
from gateway.types import ChatRequest, Payer, PromptMessage, Route
from gateway.upstream.dialect import chat_payload
from gateway.upstream.payloads import token_usage

PLAIN = Route("m", "up", "one", "http://127.0.0.1:9/v1")
TALK = (
    PromptMessage("system", "Rules."),
    PromptMessage("user", "Earlier?"),
    PromptMessage("assistant", "Said."),
    PromptMessage("user", "Now?"),
)
ASKED = ChatRequest("m", TALK, cache_key="k" * 32, payer=Payer(UUID(int=1)))
CACHING = {"prompt_cache_key", "cache_salt"}


def able(*capabilities, **fields):
    return replace(PLAIN, capabilities=frozenset(capabilities), **fields)


def marked(payload):
    return [n for n, m in enumerate(payload["messages"]) if isinstance(m["content"], list)]


def test_a_server_that_is_not_known_to_take_it_is_sent_none_of_it():
    payload = chat_payload(PLAIN, ASKED, frozenset())
    assert not CACHING & payload.keys()
    assert payload["messages"] == [{"role": m.role, "content": m.content} for m in TALK]


def test_the_key_goes_to_who_knows_it():
    openai = replace(PLAIN, base_url="https://api.openai.com/v1")
    for route in (able(Capability.CACHE_KEY), openai):
        assert chat_payload(route, ASKED, frozenset())["prompt_cache_key"] == "k" * 32
        assert "prompt_cache_key" not in chat_payload(
            route, replace(ASKED, cache_key=""), frozenset()
        )
    refused = replace(openai, lacks=frozenset({Capability.CACHE_KEY}))
    assert "prompt_cache_key" not in chat_payload(refused, ASKED, frozenset())


def test_marks_stand_behind_the_rules_and_behind_the_history():
    route = able(Capability.CACHE_MARKS)
    payload = chat_payload(route, ASKED, frozenset())
    assert marked(payload) == [0, 2]
    (part,) = payload["messages"][2]["content"]
    assert part == {"type": "text", "text": "Said.", "cache_control": {"type": "ephemeral"}}
    first = replace(ASKED, messages=(TALK[0], TALK[-1]))
    assert marked(chat_payload(route, first, frozenset())) == [0]
    alone = replace(ASKED, messages=TALK[-1:])
    assert marked(chat_payload(route, alone, frozenset())) == []
    assert marked(chat_payload(route, replace(ASKED, cache_key=""), frozenset())) == []


def test_salts_keep_accounts_apart_and_cannot_be_chosen():
    route = able(Capability.CACHE_SALT)
    mine, again = (chat_payload(route, ASKED, frozenset())["cache_salt"] for _ in range(2))
    other = replace(ASKED, payer=Payer(uuid4()), extra={"cache_salt": mine})
    assert mine == again != chat_payload(route, other, frozenset())["cache_salt"]
    assert str(UUID(int=1)) not in mine


@pytest.mark.parametrize(
    ("told", "read", "written"),
    [
        ({"prompt_tokens_details": {"cached_tokens": 7, "cache_write_tokens": 2}}, 7, 2),
        ({"prompt_tokens_details": {"cached_tokens": 0}, "prompt_cache_hit_tokens": 9}, 0, None),
        ({"prompt_cache_hit_tokens": 9, "prompt_cache_miss_tokens": 4}, 9, None),
        ({"cache_read_input_tokens": 5, "cache_creation_input_tokens": 6}, 5, 6),
        ({"prompt_cache_hit_tokens": "9", "cache_read_input_tokens": -1}, None, None),
        ({}, None, None),
    ],
)
def test_counters_by_whatever_name(told, read, written):
    usage = token_usage({"prompt_tokens": 20, **told})
    assert (usage.cached_tokens, usage.cache_write_tokens) == (read, written)
