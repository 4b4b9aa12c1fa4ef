"""`stream_chat` against a real server on loopback: every way an answer can go."""

import asyncio
import time
from contextlib import aclosing

import pytest

from gateway.errors import (
    EndpointTimeout,
    StreamCut,
    UpstreamFailed,
)
from gateway.types import (
    Completed,
    EndpointSwitched,
    ReasoningDelta,
    TextDelta,
    Timeouts,
    TokenUsage,
)
from gateway.upstream.session import close_pool
from tests.gateway.conversation import FAST, QUESTION, TEXT, Conversation, route
from tests.support.model_server import Script


def test_a_clean_answer(model_server):
    usage = {
        "prompt_tokens": 40,
        "completion_tokens": 9,
        "prompt_tokens_details": {"cached_tokens": 32},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    model_server.queue(Script(text=TEXT, reasoning="let me see", usage=usage))
    talk = Conversation(route(model_server), temperature=0.2, max_tokens=99).run()
    assert talk.text() == TEXT
    assert talk.text(ReasoningDelta) == "let me see"
    done = talk.items[-1]
    assert isinstance(done, Completed)
    assert (done.finish_reason, done.model, done.endpoint) == ("stop", "m", "one")
    assert done.usage == TokenUsage(40, 9, 32, 3)
    assert not done.is_offline
    assert talk.outcomes == ["completed"]
    assert talk.calls[0].usage == done.usage
    (sent,) = model_server.chat_requests
    assert sent["model"] == "up"
    assert sent["messages"] == [{"role": "user", "content": QUESTION}]
    assert (sent["temperature"], sent["max_tokens"]) == (0.2, 99)
    assert sent["stream_options"] == {"include_usage": True}
    assert model_server.requests[0].headers["authorization"] == "Bearer sk-0123456789abcdef"


@pytest.mark.parametrize(
    "script",
    [
        Script(newline="\r\n"),
        Script(newline="\r"),
        Script(write_size=1),
        Script(write_size=3, newline="\r\n", bom=True, comments=True),
        Script(padding=300_000),
        Script(done=False),
        Script(usage=None),
        Script(reasoning="x", reasoning_field="reasoning"),
        Script(token_size=1),
    ],
    ids=lambda script: repr(script).replace(repr(Script())[:40], ""),
)
def test_malformed_but_whole_streams_give_the_same_text(model_server, script):
    text = TEXT[:60]
    fields = {name: getattr(script, name) for name in script.__dataclass_fields__}
    model_server.queue(Script(**(fields | {"text": text})))
    talk = Conversation(route(model_server)).run()
    assert talk.error is None
    assert talk.text() == text


def test_a_server_that_does_not_stream(model_server):
    model_server.queue(Script(text=TEXT, reasoning="hm", ignores_stream=True))
    talk = Conversation(route(model_server)).run()
    assert (talk.text(), talk.text(ReasoningDelta)) == (TEXT, "hm")
    assert talk.items[-1].usage == TokenUsage(10, 5)


def test_what_is_buffered_is_one_delta(model_server):
    model_server.queue(Script(text=TEXT, token_size=1))

    async def slow_reader():
        talk = Conversation(route(model_server))
        async with aclosing(talk.stream()) as items:
            async for item in items:
                talk.items.append(item)
                await asyncio.to_thread(time.sleep, 0.05)
        await close_pool()
        return talk

    talk = asyncio.run(slow_reader())
    assert talk.text() == TEXT
    assert len(talk.of(TextDelta)) < 10


def test_connections_are_reused(model_server):
    async def three():
        for _ in range(3):
            talk = Conversation(route(model_server))
            async for _item in talk.stream():
                pass
        peak = model_server.open_connections
        await close_pool()
        return peak

    assert asyncio.run(three()) == 1


def test_stopping_closes_the_connection_upstream(model_server):
    model_server.queue(Script(text=TEXT, delay=0.02))
    talk = Conversation(route(model_server))

    async def stop_after_first():
        async with aclosing(talk.stream()) as items:
            async for _item in items:
                break
        seen = await asyncio.to_thread(model_server.wait_for, lambda s: s.disconnects == 1)
        await close_pool()
        return seen

    assert asyncio.run(stop_after_first())
    assert talk.outcomes == ["cancelled"]


def test_a_cancelled_task_closes_the_connection_upstream(model_server):
    model_server.queue(Script(hang_after=3))
    talk = Conversation(route(model_server))

    async def cancel():
        task = asyncio.create_task(talk.listen())
        await asyncio.to_thread(model_server.wait_for, lambda s: s.requests)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await asyncio.to_thread(model_server.wait_for, lambda s: s.disconnects == 1)

    assert asyncio.run(cancel())
    assert talk.outcomes == ["cancelled"]


def test_a_cut_after_words_keeps_them_and_fails(model_server):
    model_server.queue(Script(text=TEXT, cut_after=5))
    talk = Conversation(route(model_server)).run()
    assert isinstance(talk.error, StreamCut)
    assert TEXT.startswith(talk.text())
    assert talk.text()
    assert talk.outcomes == ["stream_cut"]
    assert len(model_server.requests) == 1


def test_an_end_without_a_finish_reason_is_a_failure(model_server):
    model_server.queue(Script(finish_reason=None))
    assert isinstance(Conversation(route(model_server)).run().error, StreamCut)


def test_an_error_object_inside_the_stream(model_server):
    model_server.queue(Script(text=TEXT, error_after=4))
    talk = Conversation(route(model_server)).run()
    assert isinstance(talk.error, UpstreamFailed)
    assert "the model crashed" in str(talk.error)
    assert talk.text()


def test_silence_in_the_middle(model_server):
    model_server.queue(Script(text=TEXT, hang_after=4))
    talk = Conversation(route(model_server, timeouts=FAST)).run()
    assert isinstance(talk.error, EndpointTimeout)
    assert talk.text()


@pytest.mark.parametrize("script", [Script(head_delay=5), Script(first_delay=5)])
def test_silence_before_the_first_word_switches(model_server, script):
    model_server.queue(script)
    talk = Conversation(route(model_server, timeouts=FAST)).run()
    assert talk.error is None
    assert [item.reason for item in talk.of(EndpointSwitched)] == ["endpoint_timeout"]
    assert talk.items[-1].is_offline


def test_an_answer_that_never_ends_is_ended(model_server):
    model_server.queue(Script(text=TEXT, delay=0.05))
    limits = Timeouts(connect=1, first_token=1, idle=1, total=0.4)
    talk = Conversation(route(model_server, timeouts=limits)).run()
    assert isinstance(talk.error, EndpointTimeout)
    assert talk.text()


def test_a_pause_of_the_reader_is_not_the_servers(model_server):
    model_server.queue(Script(text=TEXT[:80], delay=0.01))
    talk = Conversation(route(model_server, timeouts=FAST))

    async def read_late():
        async for item in talk.stream():
            if not talk.items:
                await asyncio.sleep(2 * FAST.idle)
            talk.items.append(item)
        await close_pool()

    asyncio.run(read_late())
    assert talk.text() == TEXT[:80]
