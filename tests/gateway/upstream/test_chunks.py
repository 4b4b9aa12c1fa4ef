"""Chunks as the server sent them, under the rules that hold for words."""

from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ContentFiltered, StreamCut, UpstreamFailed
from gateway.types import TokenUsage
from gateway.upstream.chunks import ChunkStream


def chunk(delta, finish=None, index=0, **more):
    return {
        "id": "x",
        "choices": [{"index": index, "delta": delta, "finish_reason": finish} | more],
    }


LOGPROBS = {"content": [{"token": "é", "logprob": -0.1, "top_logprobs": []}]}
CHUNKS = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Café "}, logprobs=LOGPROBS),
    chunk({"content": "🚀"}) | {"x_unknown": 1},
    chunk({}, "stop"),
    {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
]


def body(chunks=CHUNKS):
    return (
        b"".join(b"data: " + orjson.dumps(one) + b"\r\n\r\n" for one in chunks)
        + b"data: [DONE]\n\n"
    )


def read(raw, *edges):
    stream, found = ChunkStream(), []
    for start, end in pairwise([0, *edges, len(raw)]):
        found += stream.feed(raw[start:end])
    found += stream.close()
    return [*found, *stream.ending()], stream


def test_every_field_stays_when_cut_at_every_byte():
    raw = body()
    for cut in range(len(raw) + 1):
        items, stream = read(raw, cut)
        assert [item.payload for item in items] == CHUNKS
        assert "".join(item.text for item in items) == "Café 🚀"
        assert (stream.usage, stream.finish_reason) == (TokenUsage(3, 2), "stop")


@given(st.lists(st.integers(0, len(body())), max_size=12))
def test_the_same_chunks_for_any_number_of_cuts(cuts):
    assert [item.payload for item in read(body(), *sorted(cuts))[0]] == CHUNKS


def test_what_says_nothing_yet_is_held_back():
    stream = ChunkStream()
    assert stream.feed(body(CHUNKS[:1]).split(b"data: [DONE]")[0]) == []
    assert not stream.has_begun
    with pytest.raises(StreamCut):
        stream.ending()


def test_an_empty_answer_is_one():
    items, _stream = read(body([CHUNKS[0], chunk({}, "stop")]))
    assert len(items) == 2
    with pytest.raises(ContentFiltered):
        read(body([CHUNKS[0], chunk({}, "content_filter")]))


def test_each_of_several_answers_has_to_end():
    two = [chunk({"content": "a"}), chunk({"content": "b"}, index=1), chunk({}, "stop")]
    with pytest.raises(StreamCut):
        read(body(two))
    assert len(read(body([*two, chunk({}, "stop", index=1)]))[0]) == 4


def tool(arguments):
    return chunk(
        {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": arguments}}]}
    )


def test_pieces_of_tool_calls_pass_and_the_end_of_a_broken_one_does_not():
    whole = [tool('{"a": 1}'), chunk({}, "tool_calls")]
    assert [item.payload for item in read(body(whole))[0]] == whole
    stream = ChunkStream()
    raw = body([tool('{"a"'), chunk({}, "tool_calls")])
    assert [item.payload for item in stream.feed(raw)] == [tool('{"a"')]
    with pytest.raises(UpstreamFailed, match="not whole"):
        stream.check()


def test_an_error_inside_comes_after_what_was_said():
    stream = ChunkStream()
    found = stream.feed(body([CHUNKS[1], {"error": {"message": "crashed"}}]))
    assert [item.text for item in found] == ["Café "]
    with pytest.raises(UpstreamFailed, match="crashed"):
        stream.ending()


def test_the_object_of_a_server_that_does_not_stream():
    stream = ChunkStream()
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "hi"},
        "finish_reason": "stop",
    }
    (item,) = stream.whole({"id": "x", "object": "chat.completion", "choices": [choice]})
    assert item.payload["object"] == "chat.completion.chunk"
    assert item.payload["choices"][0]["delta"] == {"role": "assistant", "content": "hi"}
    assert item.text == "hi"


def test_an_endless_answer_is_ended_like_one_that_was_too_long():
    stream = ChunkStream()
    stream.feed(body([CHUNKS[1]]).split(b"data: [DONE]")[0])
    (last,) = stream.cut()
    assert last.payload["choices"][0]["finish_reason"] == "length"
    assert stream.ending() == []
