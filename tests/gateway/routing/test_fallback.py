"""An answer that begins at one endpoint and ends at another: not a character lost or doubled."""

import asyncio
import json
from dataclasses import replace

import pytest

from gateway.controls import Capability, Controls
from gateway.errors import ContextOverflow, NoEndpointAllowed, StreamCut
from gateway.metering.prices import added, owed
from gateway.routing import plan
from gateway.types import (
    Chunk,
    Completed,
    EndpointSwitched,
    PromptMessage,
    ReasoningDelta,
    Timeouts,
    ToolCalls,
)
from gateway.upstream import call
from tests.support.model_server import Script

from .talk import TEXT, Endpoints, Talk, goes_on, in_a_loop

PREFIX = frozenset({Capability.PREFIX})
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}


@pytest.fixture
def two():
    with Endpoints("one", "two") as endpoints:
        endpoints.two.default = Script(text=goes_on())
        yield endpoints


def able(endpoints, *capabilities):
    return [replace(r, capabilities=frozenset(capabilities)) for r in endpoints.routes.values()]


BREAKS = {
    "cut": Script(text=TEXT, cut_after=9),
    "error object": Script(text=TEXT, error_after=9),
    "silence": Script(text=TEXT, hang_after=9),
    "no finish reason": Script(text=TEXT[:32], finish_reason=None),
    "nonsense": Script(
        raw=b'data: {"choices":[{"delta":{"content":"A lease lasts"}}]}\n\ndata: {"ch\n\n'
    ),
    "slow drip": Script(text=TEXT, delay=0.15),
}


@pytest.mark.parametrize("capabilities", [(Capability.PREFIX,), ()], ids=["prefix", "by request"])
@pytest.mark.parametrize("script", BREAKS.values(), ids=BREAKS)
def test_13_to_20_whatever_breaks_the_next_endpoint_goes_on(two, script, capabilities):
    two.one.queue(script)
    first, second = able(two, *capabilities)
    first = replace(first, timeouts=Timeouts(connect=1, first_token=1, idle=0.4, total=1.2))
    talk = Talk([first, second]).run()
    assert talk.text == TEXT
    (switched,) = talk.of(EndpointSwitched)
    assert (switched.failed, switched.switched_to) == ("one", "two")
    assert 0 < switched.after < len(TEXT)
    done = talk.items[-1]
    assert (done.endpoint, done.attempts, done.finish_reason) == ("two", 2, "stop")
    assert done.why.startswith("Instead of one: ")
    failed, completed = talk.calls
    assert (failed.attempt, failed.outcome, failed.why) == (
        1,
        switched.reason,
        "First by priority.",
    )
    assert (failed.deployment_id, bool(failed.detail)) == (first.deployment_id, True)
    assert (completed.attempt, completed.outcome, completed.why) == (2, "completed", done.why)


def test_its_usage_is_that_of_all_calls(two):
    two.one.queue(Script(text=TEXT, cut_after=9))
    talk = Talk(able(two, Capability.PREFIX)).run()
    took = [owed(call.usage, call.estimate.tokens, call.heard) for call in talk.calls]
    told = talk.items[-1].usage
    assert len(took) == 2
    assert told == added(took)
    assert told.prompt_tokens > took[1].prompt_tokens > 0
    assert told.completion_tokens > took[1].completion_tokens > 0


def test_what_the_second_endpoint_is_asked(two):
    two.one.queue(Script(text=TEXT, reasoning="hm, let me see", cut_after=12))
    messages = (PromptMessage("system", "Be short."), PromptMessage("user", "How long?"))
    talk = Talk(able(two, Capability.PREFIX), messages=messages, max_tokens=500).run()
    assert talk.text == TEXT
    (sent,) = two.two.chat_requests
    said = sent["messages"][-1]["content"]
    assert [m["role"] for m in sent["messages"]] == ["system", "user", "assistant"]
    assert talk.of(EndpointSwitched)[0].after == len(said)
    assert "let me see" not in json.dumps(sent)
    assert sent["max_tokens"] == 500 - len(said) // 4


@pytest.mark.parametrize("repeats", [0, 20, 32])
def test_a_model_that_does_not_repeat_as_asked(two, repeats):
    two.one.queue(Script(text=TEXT, cut_after=9))
    two.two.default = Script(text=goes_on(repeats=repeats), token_size=3)
    assert Talk(two.routes).run().text == TEXT


def test_thoughts_alone_are_no_answer_yet(two):
    two.one.queue(Script(text=TEXT, reasoning="hm, let me see", cut_after=3))
    talk = Talk(two.routes).run()
    assert talk.text == TEXT
    assert talk.of(ReasoningDelta)
    assert [m["role"] for m in two.two.chat_requests[0]["messages"]] == ["user"]


def test_the_second_endpoint_may_think_before_it_goes_on(two):
    two.one.queue(Script(text=TEXT, cut_after=9))
    two.two.default = Script(text=goes_on(), reasoning="where was I?")
    talk = Talk(two.routes).run()
    assert talk.text == TEXT
    assert "".join(item.text for item in talk.of(ReasoningDelta)) == "where was I?"


def test_who_refuses_to_go_on_is_not_the_last_one():
    with Endpoints("one", "two", "three", capabilities=PREFIX) as three:
        three.one.queue(Script(text=TEXT, cut_after=9))
        three.two.default = Script(status=400, error={"message": "the last one must be a user"})
        three.three.default = Script(text=goes_on())
        talk = Talk(three.routes).run()
    assert talk.text == TEXT
    assert talk.items[-1].endpoint == "three"


def test_it_goes_from_one_to_the_next_and_back():
    with Endpoints("one", "two", "three", capabilities=PREFIX) as three:
        for server in three.servers.values():
            server.default = Script(text=goes_on(), cut_after=9, token_size=6)
        talk = Talk(three.routes).run()
        calls = [len(server.chat_requests) for server in three.servers.values()]
    assert talk.text == TEXT
    assert [s.after for s in talk.of(EndpointSwitched)] == list(range(48, len(TEXT), 48))
    assert talk.items[-1].attempts == sum(calls) == len(talk.calls)
    assert min(calls) > 0


def test_when_nobody_can_go_on_what_was_said_stays(two):
    two.one.queue(Script(text=TEXT, cut_after=9))
    two.two.default = Script(status=401)
    two.one.default = Script(status=400)
    talk = Talk(two.routes).run()
    assert isinstance(talk.error, StreamCut)  # which is what happened to the answer
    assert talk.text == TEXT[:32]
    assert not talk.of(Completed)


def test_an_endpoint_that_comes_back_is_waited_for(two, monkeypatch):
    monkeypatch.setattr(plan, "FIRST_PAUSE", 0.01)
    two.one.queue(Script(text=TEXT, cut_after=9), Script(status=503), Script(status=503))
    two.one.default = Script(text=goes_on())
    two.two.default = Script(status=503)
    talk = Talk(able(two, Capability.PREFIX)).run()
    assert talk.text == TEXT
    assert talk.items[-1].endpoint == "one"


def test_half_an_object_has_no_second_half(two):
    two.one.queue(Script(text=TEXT, cut_after=9))
    form = Controls(json_schema={"type": "object"})
    routes = able(two, Capability.JSON_SCHEMA)
    talk = Talk(routes, controls=form).run()
    assert isinstance(talk.error, StreamCut)
    assert not two.two.requests


@pytest.mark.parametrize("extra", [{"n": 1}, {"response_format": {"type": "text"}}])
def test_who_says_that_one_text_is_wanted_may_have_it_from_two(two, extra):
    two.one.queue(Script(text=TEXT, cut_after=9))
    talk = Talk(able(two, Capability.PREFIX), wants_chunks=True, extra=extra).run()
    assert talk.text == TEXT


def test_what_an_answer_cost_that_had_not_the_demanded_form_is_counted(two):
    two.one.queue(Script(text="no object"), Script(text="nor this"))
    two.two.queue(Script(text="{}"))
    talk = Talk(two.routes, controls=Controls(json_schema={"type": "object"})).run()
    assert talk.outcomes == [("one", "invalid_answer"), ("two", "completed")]
    assert [call.usage.completion_tokens for call in talk.calls] == [10, 5]


def events(*deltas):
    return b"".join(
        b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"
        for delta in deltas
    )


def call_piece(arguments, **named):
    function = {"arguments": arguments} | ({"name": "look_up"} if named else {})
    return {"tool_calls": [{"index": 0, "function": function} | named]}


CUT_CALL = events(
    {"content": "Let me see. "},
    call_piece("", id="call_1", type="function"),
    call_piece('{"where": "the han'),
)
WHOLE_CALL = (
    events(
        call_piece("", id="call_2", type="function"),
        call_piece('{"where": '),
        call_piece('"the handbook"}'),
    )
    + b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n'
)


def test_19_a_call_that_was_cut_never_runs_and_is_asked_for_again(two):
    two.one.queue(Script(raw=CUT_CALL))
    two.two.queue(Script(raw=WHOLE_CALL))
    talk = Talk(able(two, Capability.PREFIX, Capability.TOOLS), tools=(TOOL,)).run()
    (calls,) = talk.of(ToolCalls)
    assert [(c.id, c.name, c.arguments) for c in calls.calls] == [
        ("call_2", "look_up", '{"where": "the handbook"}')
    ]
    assert talk.text == "Let me see. "
    assert two.two.chat_requests[0]["messages"][-1]["content"] == "Let me see. "


def test_19_nor_is_half_a_call_passed_on(two):
    two.one.queue(Script(raw=CUT_CALL))
    two.two.queue(Script(raw=WHOLE_CALL))
    routes = able(two, Capability.PREFIX, Capability.TOOLS)
    talk = Talk(routes, tools=(TOOL,), wants_chunks=True).run()
    deltas = [
        choice.get("delta") or {} for c in talk.of(Chunk) for choice in c.payload.get("choices", ())
    ]
    pieces = [piece for delta in deltas for piece in delta.get("tool_calls", ())]
    assert [piece.get("id") for piece in pieces] == ["call_2", None, None]
    assert "".join(p["function"]["arguments"] for p in pieces) == '{"where": "the handbook"}'


@pytest.mark.parametrize("capabilities", [(Capability.PREFIX,), ()], ids=["prefix", "by request"])
def test_chunks_go_on_as_one_stream(two, capabilities):
    two.one.queue(Script(text=TEXT, cut_after=9))
    talk = Talk(able(two, *capabilities), wants_chunks=True).run()
    chunks = talk.of(Chunk)
    assert talk.text == TEXT
    deltas = [c.payload["choices"][0]["delta"] for c in chunks if c.payload.get("choices")]
    assert "".join(delta.get("content") or "" for delta in deltas) == TEXT
    assert sum("role" in delta for delta in deltas) == 1
    reasons = [c.payload["choices"][0].get("finish_reason") for c in chunks if c.payload["choices"]]
    assert [reason for reason in reasons if reason] == ["stop"]


def test_labels_hold_in_fallback_too(two):
    two.one.default = Script(status=500)
    eu = replace(two.routes["one"], labels=frozenset({"eu"}))
    talk = Talk([two.routes["two"], eu], required_labels=frozenset({"eu"})).run()
    assert not two.two.requests
    assert talk.items[-1].is_offline  # which asks nobody
    talk = Talk([two.routes["two"]], required_labels=frozenset({"eu"})).run()
    assert isinstance(talk.error, NoEndpointAllowed)
    assert not two.two.requests
    assert not talk.calls


def test_in_mid_answer_too_labels_hold(two):
    two.one.default = Script(text=TEXT, cut_after=9)
    eu = replace(two.routes["one"], labels=frozenset({"eu"}))
    talk = Talk([eu, two.routes["two"]], required_labels=frozenset({"eu"})).run()
    assert isinstance(talk.error, StreamCut)
    assert not two.two.requests


def test_a_full_context_goes_to_a_larger_one_only():
    with Endpoints("small", "tiny", "large") as three:
        three.small.default = Script(status=400, error={"code": "context_length_exceeded"})
        lengths = {"small": 8000, "tiny": 4000, "large": 32_000}
        routes = [replace(three.routes[n], context_length=lengths[n]) for n in lengths]
        talk = Talk(routes).run()
        assert talk.outcomes == [("small", "context_overflow"), ("large", "completed")]
        talk = Talk(routes[:2]).run()
    assert isinstance(talk.error, ContextOverflow)
    assert talk.outcomes == [("small", "context_overflow")]


@pytest.mark.parametrize("status", [400, 422])
def test_what_the_caller_did_wrong_is_asked_of_nobody_else(two, status):
    two.one.default = Script(status=status)
    talk = Talk(two.routes).run()
    assert talk.error.type == "bad_request"
    assert not two.two.requests


def test_who_is_full_is_passed_by_after_the_wait(two):
    two.one.default = Script(text=TEXT, hang_after=3)
    full = replace(two.routes["one"], max_concurrency=1, queue_timeout=0.3, timeouts=Timeouts())
    talk, waits = Talk([full]), Talk([full, two.routes["two"]])

    async def both():
        first = asyncio.create_task(talk.listen())
        await asyncio.to_thread(two.one.wait_for, lambda server: server.answering)
        await waits.listen()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)

    in_a_loop(both)
    assert waits.text == TEXT
    assert waits.outcomes == [("one", "endpoint_busy"), ("two", "completed")]
    assert "came free within" in waits.of(EndpointSwitched)[0].detail


def test_20_an_endless_answer_is_ended(two, monkeypatch):
    monkeypatch.setattr(call, "LONGEST_ANSWER", 2000)
    # It stays until the client leaves: sockets may take all of a text that only ends late.
    two.one.queue(Script(text="and so on " * 100_000, token_size=500, hang_after=1500))
    talk = Talk(two.routes).run()
    assert talk.items[-1].finish_reason == "length"
    assert 2000 < len(talk.text) < 500_000
    assert two.one.wait_for(lambda server: server.disconnects == 1)
