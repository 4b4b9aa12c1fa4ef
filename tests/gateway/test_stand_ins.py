"""`stream_chat` where a server fails: asked once more, another instead, or the documents."""

import asyncio
import socket
import time

import pytest

from gateway.errors import (
    BadCredentials,
    BadRequest,
    ContentFiltered,
    ContextOverflow,
)
from gateway.types import (
    OFFLINE,
    EndpointSwitched,
    Route,
)
from gateway.upstream.session import close_pool
from tests.gateway.conversation import FAST, TEXT, Conversation, route
from tests.support.model_server import ModelServer, Script


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
