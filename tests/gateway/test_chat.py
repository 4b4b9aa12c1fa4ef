"""`stream_chat` against a real server on loopback: every way an answer can go."""

import asyncio
import socket
import time
from contextlib import aclosing

import pytest

from gateway.chat import stream_chat
from gateway.errors import (
    BadCredentials,
    BadRequest,
    ContentFiltered,
    ContextOverflow,
    EndpointTimeout,
    GatewayError,
    StreamCut,
    UpstreamFailed,
)
from gateway.types import (
    OFFLINE,
    ChatRequest,
    Completed,
    EndpointSwitched,
    PassageText,
    PromptMessage,
    ReasoningDelta,
    Route,
    TextDelta,
    Timeouts,
    TokenUsage,
)
from gateway.upstream.session import close_pool
from tests.support.model_server import ModelServer, Script

TEXT = "Streams of “text”, 你好 and 🚀, arrive in order. " * 5
PASSAGE = PassageText(1, "Parley", "The runner holds a lease of thirty seconds on each turn.")
QUESTION = "How many seconds is the lease of the runner?"
FAST = Timeouts(connect=1, first_token=0.3, idle=0.3, total=5)


def route(server, **changes):
    fields = {"model": "m", "upstream_name": "up", "endpoint": "one", "base_url": server.url}
    return Route(**(fields | {"api_key": "sk-0123456789abcdef"} | changes))


class Conversation:
    """Streams one answer; keeps what came, the calls that were metered, and the error."""

    def __init__(self, *routes, **request):
        self.routes = routes
        self.items = []
        self.calls = []
        self.error = None
        fields = {"messages": (PromptMessage("user", QUESTION),), "question": QUESTION}
        self.request = ChatRequest("m", **(fields | {"passages": (PASSAGE,)} | request))

    async def find_routes(self, name):
        return self.routes

    async def record(self, call):
        self.calls.append(call)

    def stream(self):
        return stream_chat(self.request, routes=self.find_routes, record=self.record)

    async def listen(self):
        try:
            async for item in self.stream():
                self.items.append(item)
        except GatewayError as error:
            self.error = error
        finally:
            await close_pool()

    def run(self):
        asyncio.run(self.listen())
        return self

    def text(self, kind=TextDelta):
        return "".join(item.text for item in self.items if isinstance(item, kind))

    def of(self, kind):
        return [item for item in self.items if isinstance(item, kind)]

    @property
    def outcomes(self):
        return [call.outcome for call in self.calls]


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


def test_one_repetition_for_what_passes_by_itself(model_server):
    model_server.queue(Script(status=500), Script(text=TEXT))
    talk = Conversation(route(model_server)).run()
    assert talk.text() == TEXT
    assert talk.outcomes == ["upstream_failed", "completed"]
    assert not talk.of(EndpointSwitched)


def test_a_short_pause_is_waited_for(model_server):
    model_server.queue(Script(status=429, headers={"Retry-After-Ms": "200"}), Script(text=TEXT))
    started = time.monotonic()
    talk = Conversation(route(model_server)).run()
    assert talk.text() == TEXT
    assert time.monotonic() - started >= 0.2
    assert talk.outcomes == ["rate_limited", "completed"]


def test_a_long_pause_is_not_waited_for(model_server):
    model_server.queue(Script(status=429, headers={"Retry-After": "60"}))
    talk = Conversation(route(model_server)).run()
    assert talk.of(EndpointSwitched)[0].reason == "rate_limited"
    assert talk.items[-1].is_offline


def test_the_next_deployment_answers_instead(model_server):
    with ModelServer() as other:
        model_server.queue(Script(status=503), Script(status=503))
        other.queue(Script(text=TEXT))
        talk = Conversation(route(model_server), route(other, endpoint="two")).run()
    switched = talk.of(EndpointSwitched)[0]
    assert (switched.failed, switched.switched_to) == ("one", "two")
    assert talk.text() == TEXT
    assert talk.items[-1].endpoint == "two"


def test_after_the_first_word_the_next_deployment_goes_on(model_server):
    with ModelServer() as other:
        model_server.queue(Script(text=TEXT, cut_after=4))
        other.queue(Script(text=TEXT[12:]))
        talk = Conversation(route(model_server), route(other, endpoint="two")).run()
    (switched,) = talk.of(EndpointSwitched)
    assert (switched.failed, switched.switched_to, switched.after) == ("one", "two", 12)
    assert talk.text() == TEXT
    assert talk.outcomes == ["stream_cut", "completed"]


def test_a_connected_model_that_is_down_is_replaced_by_quotations():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    talk = Conversation(Route("m", "up", "one", f"http://127.0.0.1:{port}/v1", timeouts=FAST)).run()
    switched = talk.items[0]
    assert isinstance(switched, EndpointSwitched)
    assert (switched.switched_to, switched.reason) == (OFFLINE, "endpoint_unreachable")
    assert "Nothing listens there" in switched.detail
    assert "lease of thirty seconds" in talk.text()
    assert "could not be reached" in talk.text()
    assert talk.items[-1].is_offline


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (Script(status=401), "bad_credentials"),
        (Script(status=403), "bad_credentials"),
        (Script(status=404), "model_not_found"),
        (Script(status=307, headers={"Location": "https://elsewhere.example/"}), "upstream_failed"),
        (Script(status=502, error="<html>Bad gateway</html>"), "upstream_failed"),
        (Script(error_after=0), "upstream_failed"),
        (Script(cut_after=0), "stream_cut"),
        (Script(text=""), "upstream_failed"),
        (Script(raw=b"data: nonsense\n\n"), "upstream_failed"),
    ],
)
def test_the_offline_answer_stands_in_for_every_outage(model_server, script, reason):
    model_server.queue(script, script)
    talk = Conversation(route(model_server)).run()
    assert talk.error is None
    assert [item.reason for item in talk.of(EndpointSwitched)] == [reason]
    assert talk.items[-1].model == OFFLINE


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        (Script(status=400), BadRequest),
        (Script(status=422), BadRequest),
        (Script(status=400, error={"code": "context_length_exceeded"}), ContextOverflow),
        (Script(status=400, error={"type": "exceed_context_size_error"}), ContextOverflow),
        (Script(status=400, error={"code": "content_filter"}), ContentFiltered),
        (Script(text="", finish_reason="content_filter"), ContentFiltered),
    ],
)
def test_what_is_not_the_servers_fault_is_said(model_server, script, kind):
    model_server.queue(script)
    talk = Conversation(route(model_server)).run()
    assert type(talk.error) is kind
    assert not talk.of(EndpointSwitched)
    assert talk.outcomes == [kind.type]


def test_a_longer_model_takes_what_the_first_cannot_read(model_server):
    with ModelServer() as other:
        model_server.queue(Script(status=400, error={"code": "context_length_exceeded"}))
        talk = Conversation(route(model_server), route(other, endpoint="two")).run()
        assert talk.items[-1].endpoint == "two"


def test_parameters_a_model_refuses_are_left_out_and_remembered(model_server):
    refusal = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    cold = "'temperature' does not support 0.2 with this model."
    model_server.queue(
        Script(status=400, error={"message": refusal}), Script(status=400, error={"message": cold})
    )

    async def twice():
        for _ in range(2):
            talk = Conversation(route(model_server), temperature=0.2, max_tokens=99)
            async for _item in talk.stream():
                pass
        await close_pool()

    asyncio.run(twice())
    first, second, third, fourth = model_server.chat_requests
    assert (first["max_tokens"], first["temperature"]) == (99, 0.2)
    assert "max_tokens" not in second
    assert (second["max_completion_tokens"], second["temperature"]) == (99, 0.2)
    assert "temperature" not in third
    assert fourth == third


def test_19_a_key_that_the_server_repeats_is_not_shown(model_server):
    key = "sk-0123456789abcdef"
    script = Script(status=400, error={"message": f"Wrong key {key} given"})
    model_server.queue(script)
    talk = Conversation(route(model_server, api_key=key)).run()
    assert "…cdef" in str(talk.error)
    assert key not in str(talk.error)


def test_parallel_requests_of_an_endpoint_are_limited(model_server):
    model_server.default = Script(text="short answer", delay=0.02)
    one = route(model_server, max_concurrency=2)

    async def many():
        talks = [Conversation(one) for _ in range(6)]
        peak = 0

        async def read(talk):
            nonlocal peak
            async for item in talk.stream():
                peak = max(peak, model_server.open_connections)
                talk.items.append(item)

        await asyncio.gather(*map(read, talks))
        await close_pool()
        return peak, [talk.text() for talk in talks]

    peak, texts = asyncio.run(many())
    assert peak == 2
    assert texts == ["short answer"] * 6


def test_without_a_model_the_documents_are_quoted():
    talk = Conversation().run()
    assert talk.text().startswith("Quoted from your documents; no model is connected:")
    assert "> The runner holds a lease of thirty seconds on each turn. [1]" in talk.text()
    assert talk.items[-1].is_offline
    assert not talk.calls


def test_bad_credentials_of_the_first_are_not_the_end(model_server):
    with ModelServer() as other:
        model_server.api_key = "another"
        talk = Conversation(route(model_server), route(other, endpoint="two")).run()
        assert talk.of(EndpointSwitched)[0].reason == BadCredentials.type
        assert talk.items[-1].endpoint == "two"
