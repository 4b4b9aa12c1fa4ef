"""Tool calls come once, whole and last; a call that was cut in half never comes."""

from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError, StreamCut, UpstreamFailed
from gateway.types import TextDelta, ToolCall, ToolCalls
from gateway.upstream.sse import ChatStream
from gateway.upstream.tool_calls import ToolCallParts

WEATHER = ToolCall("a", "weather", '{"city": "Orléans 🚀"}')
CLOCK = ToolCall("b", "clock", "{}")


def event(delta, finish=None):
    payload = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    return b"data: " + orjson.dumps(payload) + b"\n\n"


def piece(index, arguments, **more):
    function = {"arguments": arguments} | ({"name": more.pop("name")} if "name" in more else {})
    return event({"tool_calls": [{"index": index, "function": function} | more]})


def body(finish="tool_calls"):
    text = WEATHER.arguments
    return b"".join(
        [
            event({"role": "assistant", "content": "Let me look."}),
            piece(0, "", id="a", name="weather"),
            *(piece(0, text[at : at + 5]) for at in range(0, len(text), 5)),
            piece(1, "", id="b", name="clock"),
            event({}, finish),
            b"data: [DONE]\n\n",
        ]
    )


def items_of(chunks):
    stream = ChatStream()
    found = [item for chunk in chunks for item in stream.feed(chunk)]
    return [*found, *stream.close(), *stream.ending()]


def test_the_same_calls_when_cut_at_every_byte():
    raw = body()
    for cut in range(len(raw) + 1):
        items = items_of([raw[:cut], raw[cut:]])
        assert items[-1] == ToolCalls((WEATHER, CLOCK))
        assert "".join(item.text for item in items[:-1]) == "Let me look."


def test_a_stream_that_ends_early_gives_no_call():
    raw = body()
    for end in range(raw.index(b'"finish_reason":"tool_calls"') - 20):
        stream, items = ChatStream(), []
        with suppress(UpstreamFailed):  # half an event
            items += stream.feed(raw[:end])
            items += stream.close()
        with pytest.raises(StreamCut if not stream._failure else UpstreamFailed):
            items += stream.ending()
        assert all(isinstance(item, TextDelta) for item in items)


def test_calls_that_the_limit_of_tokens_cut_are_none():
    assert items_of([body("length")]) == [TextDelta("Let me look.")]


@pytest.mark.parametrize("arguments", ['{"city": "Pa', "7", "[1]", "nonsense"])
def test_arguments_that_are_no_object_are_an_error(arguments):
    raw = piece(0, arguments, id="a", name="weather") + event({}, "tool_calls")
    with pytest.raises(UpstreamFailed, match="not whole"):
        items_of([raw])


@pytest.mark.parametrize(
    "pieces",
    [
        [[{"id": "a", "function": {"name": "weather", "arguments": WEATHER.arguments}}]],
        [
            [
                {
                    "index": 0,
                    "id": "a",
                    "function": {"name": "weather", "arguments": {"city": "Orléans 🚀"}},
                }
            ]
        ],
        [
            [{"id": "a", "function": {"name": "weather", "arguments": WEATHER.arguments[:9]}}],
            [{"function": {"arguments": WEATHER.arguments[9:]}}],
        ],
        [
            [{"id": "a", "function": {"name": "weather", "arguments": WEATHER.arguments[:9]}}],
            [{"id": "a", "function": {"name": "weather", "arguments": WEATHER.arguments[9:]}}],
        ],
    ],
    ids=["whole", "an object", "no numbers", "the id again"],
)
def test_calls_of_servers_with_their_own_ideas(pieces):
    parts = ToolCallParts()
    for one in pieces:
        parts.add(one)
    (call,) = parts.finished().calls
    assert (call.id, call.name) == ("a", "weather")
    assert orjson.loads(call.arguments) == {"city": "Orléans 🚀"}


def test_two_calls_without_numbers_or_ids():
    parts = ToolCallParts()
    parts.add([{"function": {"name": "a"}}, {"function": {"name": "b"}}])
    assert parts.finished() == ToolCalls(
        (ToolCall("call_0", "a", "{}"), ToolCall("call_1", "b", "{}"))
    )


NAMES = st.sampled_from(["index", "id", "function", "name", "arguments"])
ODD = st.recursive(
    st.none() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner),
)


@given(st.lists(ODD, max_size=4))
def test_odd_pieces_raise_nothing_but_gateway_errors(pieces):
    with suppress(GatewayError):
        items_of([event({"tool_calls": pieces}), event({}, "tool_calls")])
