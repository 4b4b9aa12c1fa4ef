"""Forms that a server cannot keep: asked for, checked, repaired once, refused by name."""

import asyncio

import orjson
import pytest

from gateway.controls import Capability, Controls
from gateway.errors import BadRequest, InvalidAnswer, UnsupportedControl
from gateway.types import ChatRequest, Chunk, PromptMessage, Route, TextDelta, TokenUsage, ToolCalls
from gateway.upstream.emulation import open_answer
from gateway.upstream.session import close_pool
from tests.support.model_server import Script

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def ask(server, can=frozenset(), **request):
    """Items, usage and finish reason of one answer."""
    route = Route("m", "up", "one", server.url, capabilities=can)
    fields = {"messages": (PromptMessage("user", "How many?"),)} | request

    async def read():
        items = []
        try:
            async with open_answer(route, ChatRequest("m", **fields)) as answer:
                while found := await answer.read():
                    items += found
        finally:
            await close_pool()
        return items, answer.usage, answer.finish_reason

    return asyncio.run(read())


def formed(server, text, **controls):
    server.queue(*(Script(text=one) for one in text))
    return ask(server, controls=Controls(**controls))


def test_a_fitting_answer_is_given_as_a_whole(model_server):
    items, usage, reason = formed(model_server, ['```json\n{"n": 3}\n```'], json_schema=SCHEMA)
    assert items == [TextDelta('{"n": 3}')]
    assert (usage, reason) == (TokenUsage(10, 5), "stop")
    (sent,) = model_server.chat_requests
    assert "response_format" not in sent
    assert sent["messages"][0]["content"].startswith("How many?\n\nAnswer with one JSON value")
    assert (
        orjson.dumps(SCHEMA, option=orjson.OPT_SORT_KEYS).decode() in sent["messages"][0]["content"]
    )


def test_one_that_does_not_fit_is_repaired_once(model_server):
    items, usage, _ = formed(model_server, ['{"n": "x"}', '{"n": 4}'], json_schema=SCHEMA)
    assert items == [TextDelta('{"n": 4}')]
    assert usage == TokenUsage(20, 10)
    answered, shown = model_server.chat_requests[1]["messages"][1:]
    assert answered == {"role": "assistant", "content": '{"n": "x"}'}
    assert 'At “/n”: "x" is not of type "integer"' in shown["content"]


def test_what_does_not_fit_twice_is_an_error_with_the_reason(model_server):
    with pytest.raises(InvalidAnswer, match="It is not JSON"):
        formed(model_server, ["none", "still none", "never asked"], json_schema=SCHEMA)
    assert len(model_server.chat_requests) == 2


def test_an_answer_cut_by_the_limit_is_not_repaired(model_server):
    model_server.queue(Script(text='{"n": 4', finish_reason="length"))
    with pytest.raises(InvalidAnswer, match="cut off by the limit"):
        ask(model_server, controls=Controls(json_schema=SCHEMA))
    assert len(model_server.chat_requests) == 1


@pytest.mark.parametrize(
    ("controls", "said", "given"),
    [
        ({"choices": ("Yes", "No")}, "**yes.**", "Yes"),
        ({"choices": ("也许", "是")}, "“也许”", "也许"),
        ({"regex": r"\d{3}-[a-z]+"}, " 123-ab \n", "123-ab"),
    ],
)
def test_choices_and_patterns(model_server, controls, said, given):
    items, *_ = formed(model_server, [said], **controls)
    assert items == [TextDelta(given)]


@pytest.mark.parametrize("controls", [{"choices": ("a", "b")}, {"regex": "a|b"}])
def test_choices_and_patterns_that_are_not_met(model_server, controls):
    with pytest.raises(InvalidAnswer):
        formed(model_server, ["c", "ab"], **controls)


def test_choices_of_a_server_that_knows_schemas(model_server):
    model_server.queue(Script(text='{"answer": "b"}'))
    can = frozenset({Capability.JSON_SCHEMA})
    items, *_ = ask(model_server, can, controls=Controls(choices=("a", "b")))
    assert items == [TextDelta("b")]
    schema = model_server.chat_requests[0]["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["answer"]["enum"] == ["a", "b"]


def test_a_form_that_the_server_keeps_is_streamed(model_server):
    model_server.queue(Script(text='{"n": 4}', delay=0.01))
    can = frozenset({Capability.JSON_SCHEMA})
    items, *_ = ask(model_server, can, controls=Controls(json_schema=SCHEMA))
    assert len(items) > 1
    assert "".join(item.text for item in items) == '{"n": 4}'


def test_a_grammar_is_refused_and_nobody_is_asked(model_server):
    with pytest.raises(UnsupportedControl, match="“grammar”"):
        ask(model_server, controls=Controls(grammar="root ::= x"))
    assert not model_server.requests


@pytest.mark.parametrize(
    "controls",
    [
        {"json_schema": {"type": "nonsense"}},
        {"json_schema": {"$ref": "http://127.0.0.1:1/schema"}},
        {"regex": "("},
    ],
)
def test_what_is_no_form_is_refused(model_server, controls):
    with pytest.raises(BadRequest, match="The demanded form is not one"):
        ask(model_server, controls=Controls(**controls))
    assert not model_server.requests


def test_a_pattern_that_explodes_elsewhere_takes_no_time(model_server):
    with pytest.raises(InvalidAnswer):
        formed(model_server, ["a" * 5000 + "!"] * 2, regex="(a+)+b")


def test_chunks_of_an_emulated_answer(model_server):
    model_server.queue(Script(text='{"n": 1}', reasoning="hm"))
    items, *_ = ask(model_server, wants_chunks=True, controls=Controls(json_schema=SCHEMA))
    assert all(isinstance(item, Chunk) for item in items)
    deltas = [choice for item in items for choice in item.payload["choices"]]
    assert deltas[0]["delta"] == {"role": "assistant", "reasoning_content": "hm"}
    assert deltas[1]["delta"] == {"content": '{"n": 1}'}
    assert deltas[-1]["finish_reason"] == "stop"
    assert items[-1].payload["usage"]["total_tokens"] == 15
    assert "".join(item.text for item in items) == '{"n": 1}'


@pytest.mark.parametrize(
    ("request_", "named"),
    [({"extra": {"n": 2}}, "n"), ({"wants_chunks": True, "logprobs": True}, "logprobs")],
)
def test_what_cannot_be_checked_as_well_is_refused(model_server, request_, named):
    request_ = dict(request_)
    controls = Controls(json_schema=SCHEMA, logprobs=request_.pop("logprobs", False))
    with pytest.raises(UnsupportedControl, match=f"“{named}”"):
        ask(model_server, controls=controls, **request_)


def test_tool_calls_are_no_answer_to_check(model_server):
    call = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}
    choice = {"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}
    model_server.queue(Script(raw=b"data: " + orjson.dumps({"choices": [choice]}) + b"\n\n"))
    items, *_ = ask(
        model_server, tools=({"type": "function"},), controls=Controls(json_schema=SCHEMA)
    )
    assert isinstance(items[0], ToolCalls)


def test_the_instruction_goes_to_the_last_question_of_raw_messages(model_server):
    model_server.queue(Script(text="a"))
    parts = [{"type": "text", "text": "What?"}]
    messages = ({"role": "user", "content": parts}, {"role": "assistant", "content": "Hm."})
    ask(model_server, messages=messages, controls=Controls(choices=("a",)))
    (sent,) = model_server.chat_requests
    assert sent["messages"][0]["content"][0] == parts[0]
    assert "- a" in sent["messages"][0]["content"][1]["text"]
    assert len(parts) == 1
