"""One answer over a real socket: tool calls and chunks, whole or not at all."""

import asyncio

import orjson
import pytest

from gateway.errors import EndpointTimeout, GatewayError, StreamCut, UpstreamFailed
from gateway.types import ChatRequest, Chunk, PromptMessage, Route, Timeouts, ToolCall, ToolCalls
from gateway.upstream import call as calls
from gateway.upstream.call import open_call
from gateway.upstream.session import close_pool
from tests.support.model_server import Script

ARGUMENTS = '{"path": "/tmp/x", "text": "' + "delete " * 40 + '"}'


def event(delta, finish=None, **more):
    payload = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]} | more
    return b"data: " + orjson.dumps(payload) + b"\n\n"


def tool_events(arguments=ARGUMENTS):
    head = {"index": 0, "id": "a", "function": {"name": "write", "arguments": ""}}
    yield event({"tool_calls": [head]})
    for at in range(0, len(arguments), 7):
        piece = {"index": 0, "function": {"arguments": arguments[at : at + 7]}}
        yield event({"tool_calls": [piece]})


def read(server, timeouts=None, **request):
    """Every item, and the error that ended them."""
    route = Route("m", "up", "one", server.url, timeouts=timeouts or Timeouts())
    fields = {"messages": (PromptMessage("user", "hi"),)} | request

    async def reading():
        items, error = [], None
        try:
            async with open_call(route, ChatRequest("m", **fields)) as call:
                while found := await call.read():
                    items += found
                items.append(call.finish_reason)
        except GatewayError as raised:
            error = raised
        finally:
            await close_pool()
        return items, error

    return asyncio.run(reading())


@pytest.mark.parametrize("size", [None, 1, 13])
def test_a_whole_call_comes_once_at_the_end(model_server, size):
    raw = b"".join([event({"content": "So. "}), *tool_events(), event({}, "tool_calls")])
    model_server.queue(Script(raw=raw + b"data: [DONE]\n\n", write_size=size))
    items, error = read(model_server)
    assert error is None
    assert items[-2:] == [ToolCalls((ToolCall("a", "write", ARGUMENTS),)), "tool_calls"]
    assert "".join(item.text for item in items[:-2]) == "So. "


def test_19_a_call_cut_by_the_connection_never_comes(model_server):
    model_server.queue(Script(raw=b"".join(list(tool_events())[:-3])))
    items, error = read(model_server)
    assert isinstance(error, StreamCut)
    assert items == []


def test_19_a_call_cut_by_the_server_never_comes(model_server):
    model_server.queue(Script(raw=b"".join([*list(tool_events())[:-3], event({}, "tool_calls")])))
    items, error = read(model_server)
    assert isinstance(error, UpstreamFailed)
    assert "not whole" in str(error)
    assert items == []


def test_19_a_call_cut_by_the_limit_of_tokens_never_comes(model_server):
    model_server.queue(Script(raw=b"".join([*list(tool_events())[:-3], event({}, "length")])))
    assert read(model_server) == (["length"], None)


def test_a_call_in_the_object_of_a_server_that_does_not_stream(model_server):
    function = {"name": "write", "arguments": {"path": "x"}}
    message = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "a", "function": function}],
    }
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    model_server.pages["/v1/chat/completions"] = {
        "choices": [choice],
        "usage": {"prompt_tokens": 1},
    }
    items, _error = read(model_server)
    assert items == [ToolCalls((ToolCall("a", "write", '{"path":"x"}'),)), "tool_calls"]
    items, _error = read(model_server, wants_chunks=True)
    assert items[0].payload["choices"][0]["delta"] == message


@pytest.mark.parametrize("wants_chunks", [False, True])
def test_20_an_endless_answer_is_cut_and_the_connection_closed(
    model_server, monkeypatch, wants_chunks
):
    monkeypatch.setattr(calls, "LONGEST_ANSWER", 1000)
    model_server.queue(Script(text="word " * 200_000, token_size=50))
    items, error = read(model_server, wants_chunks=wants_chunks)
    assert error is None
    assert items[-1] == "length"
    if wants_chunks:
        assert items[-2].payload["choices"][0]["finish_reason"] == "length"
    assert model_server.wait_for(lambda server: server.disconnects == 1)


def test_20_endless_arguments_are_cut_too(model_server, monkeypatch):
    monkeypatch.setattr(calls, "LONGEST_ANSWER", 1000)
    model_server.queue(Script(raw=b"".join(tool_events('{"a": "' + "x" * 100_000))))
    assert read(model_server) == (["length"], None)


def test_17_a_drip_ends_with_the_limit_for_everything(model_server):
    model_server.queue(Script(text="a drip of words " * 20, token_size=1, delay=0.05))
    limits = Timeouts(connect=1, first_token=5, idle=5, total=0.6)
    items, error = read(model_server, limits)
    assert isinstance(error, EndpointTimeout)
    assert "as a whole" in str(error)
    assert items


def test_chunks_over_a_socket(model_server):
    usage = {"prompt_tokens": 1, "completion_tokens": 2}
    model_server.queue(Script(text="Hello there", write_size=5, usage=usage))
    items, error = read(model_server, wants_chunks=True)
    assert error is None
    assert all(isinstance(item, Chunk) for item in items[:-1])
    assert "".join(item.text for item in items[:-1]) == "Hello there"
    assert items[-2].payload["usage"] == usage
    assert items[-1] == "stop"
