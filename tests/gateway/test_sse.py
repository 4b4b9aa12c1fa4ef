"""Any bytes, cut anywhere: the same text, or a named error."""

from contextlib import suppress
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError, RateLimited, UpstreamFailed
from gateway.types import ReasoningDelta, TextDelta, TokenUsage
from gateway.upstream.chunks import ChunkStream
from gateway.upstream.events import LONGEST_EVENT
from gateway.upstream.payloads import token_usage
from gateway.upstream.sse import ChatStream

PIECES = ["Café ", "你好，", "\n\n", ' data: "x"', "🚀", " [DONE]", "\r\n"]


def event(delta, finish=None, **more):
    payload = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]} | more
    return b"data: " + orjson.dumps(payload) + b"\n\n"


def body(pieces=PIECES):
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 7,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    return b"".join(
        [
            event({"role": "assistant", "content": ""}),
            event({"reasoning_content": "思考"}),
            *(event({"content": piece}) for piece in pieces),
            event({}, "stop"),
            b"data: " + orjson.dumps({"choices": [], "usage": usage}) + b"\n\n",
            b"data: [DONE]\n\n",
        ]
    )


def text_of(stream, chunks, kind=TextDelta):
    deltas = [delta for chunk in chunks for delta in stream.feed(chunk)] + stream.close()
    return "".join(delta.text for delta in deltas if isinstance(delta, kind))


def assert_reads_well(chunks):
    chunks = list(chunks)
    stream = ChatStream()
    assert text_of(stream, chunks) == "".join(PIECES)
    assert stream.finish_reason == "stop"
    assert stream.is_done
    assert stream.usage == TokenUsage(9, 7, 4, 2)
    assert text_of(ChatStream(), chunks, ReasoningDelta) == "思考"


def variants():
    plain = body()
    yield "plain", plain
    yield "crlf", plain.replace(b"\n", b"\r\n")
    yield "cr", plain.replace(b"\n", b"\r")
    yield "mixed", plain.replace(b"\n\n", b"\r\n\n").replace(b"data: [", b": note\r\rdata: [")
    yield "bom", b"\xef\xbb\xbf" + plain
    yield "comments", b": keep-alive\n\n" + plain.replace(b"\n\n", b"\n\n:\n\n")
    yield "fields", plain.replace(b"data: {", b"event: message\nid: 7\nretry: 10\ndata: {")
    yield "no space", plain.replace(b"\n\ndata: ", b"\n\ndata:")
    yield "no last blank line", plain.removesuffix(b"\n\n")
    yield "several data lines", plain.replace(b'{"choices":', b'{\ndata: "choices":')
    yield "empty events", plain.replace(b"\n\n", b"\n\ndata:\n\n", 3)
    yield "after the end", plain + b"data: not json\n\n"


@pytest.mark.parametrize("raw", [v for _, v in variants()], ids=[n for n, _ in variants()])
def test_the_same_text_when_cut_at_every_byte(raw):
    for cut in range(len(raw) + 1):
        assert_reads_well([raw[:cut], raw[cut:]])
    assert_reads_well(raw[i : i + 1] for i in range(len(raw)))


@given(st.lists(st.integers(0, len(body())), max_size=12))
def test_the_same_text_for_any_number_of_cuts(cuts):
    raw = dict(variants())["crlf"]
    edges = [0, *sorted(cuts), len(raw)]
    assert_reads_well(raw[a:b] for a, b in pairwise(edges))


def test_what_arrives_together_is_one_delta():
    assert ChatStream().feed(body()) == [ReasoningDelta("思考"), TextDelta("".join(PIECES))]


def test_a_cut_stream_has_no_finish_reason():
    stream = ChatStream()
    text_of(stream, [event({"content": "half"})])
    assert stream.finish_reason is None


@pytest.mark.parametrize(
    "raw",
    [b"data: {\n\n", b"data: 7\n\n", b'data: {"choices": 7}\n\n', b'data: {"choices": [7]}\n\n'],
)
def test_what_is_not_a_chat_completion_is_a_named_error(raw):
    with pytest.raises(UpstreamFailed):
        text_of(ChatStream(), [raw])


def test_odd_fields_are_ignored():
    raw = event({"content": None}) + event({"content": [1]}) + event(None) + event({"content": "a"})
    assert text_of(ChatStream(), [raw]) == "a"


def test_an_error_object_inside_the_stream_is_typed():
    error = {"error": {"message": "slow down", "type": "rate_limit_error", "code": "rate_limit"}}
    with pytest.raises(RateLimited, match="slow down"):
        ChatStream().feed(b"data: " + orjson.dumps(error) + b"\n\n")


def test_words_before_an_error_are_kept_at_every_split():
    raw = event({"content": "half"}) + b'data: {"error": {"message": "crashed"}}\n\n'
    for cut in range(len(raw) + 1):
        stream, deltas = ChatStream(), []
        chunks = iter([raw[:cut], raw[cut:], b""])
        with pytest.raises(UpstreamFailed, match="crashed"):
            deltas.extend(delta for chunk in chunks for delta in stream.feed(chunk))
        assert deltas == [TextDelta("half")]


def test_an_endless_line_is_refused():
    stream = ChatStream()
    for _ in range(LONGEST_EVENT // 65_536):
        stream.feed(b"x" * 65_536)
    with pytest.raises(UpstreamFailed):
        stream.feed(b"x" * 65_536)


def test_a_huge_line_within_the_limit_is_read():
    text = "长" * 500_000
    raw = body([text])
    chunks = [raw[i : i + 65_536] for i in range(0, len(raw), 65_536)]
    assert text_of(ChatStream(), chunks) == text


@given(st.binary(max_size=300))
def test_noise_never_raises_anything_but_gateway_errors(noise):
    with suppress(GatewayError):
        text_of(ChatStream(), [b"data: " + noise + b"\n\n" + noise])


def feed_all(stream, chunk):
    for _ in range(200):
        assert stream.feed(chunk) == []


@pytest.mark.parametrize("line", [b"data:\n", b"data: " + b"x" * 1000 + b"\n"])
def test_an_event_of_endless_lines_is_ended(line):
    with pytest.raises(UpstreamFailed, match="4 MB"):
        feed_all(ChatStream(), line * 1000)


def test_endless_chunks_that_say_nothing_are_an_empty_answer():
    with pytest.raises(UpstreamFailed, match="empty answer"):
        feed_all(ChunkStream(), event({}) * 1000)


@pytest.mark.parametrize("count", [-1, 10**12, True, "7", None, 1.5])
def test_counts_that_are_none_are_not_known(count):
    assert token_usage({"prompt_tokens": count, "completion_tokens": 3}) == TokenUsage(None, 3)
