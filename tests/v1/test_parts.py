"""The parts of /v1 by themselves: no web process."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from django.test import Client

from accounts import tokens
from accounts.models import Membership
from agents.openai import streaming
from agents.openai.assembly import Assembly
from agents.openai.errors import ApiError, describe, invalid
from agents.openai.fields import chat_request
from agents.openai.pump import MOST_BYTES, Pump
from gateway import errors as gateway
from gateway.models import Deployment, Endpoint, Model
from security.rate_limits import forget_everybody
from security.rates import parse_rates
from tests.v1.streams import call_deltas

REQUEST = SimpleNamespace(method="POST", path="/v1/chat/completions")


class Source:
    """Yields its parts; knows whether it was closed."""

    def __init__(self, *parts, pause=None, error=None):
        self.parts, self.pause, self.error = parts, pause, error
        self.given, self.is_closed = 0, False

    async def run(self):
        try:
            for part in self.parts:
                if part is None:
                    await self.pause.wait()
                    continue
                self.given += 1
                yield part
            if self.error:
                raise self.error
        finally:
            self.is_closed = True


def test_all_that_is_there_goes_out_in_one_write():
    async def scenario():
        source = Source(b"a", b"b", None, b"c", pause=asyncio.Event())
        pump = Pump(source.run())
        assert await pump.take() == b"ab"
        source.pause.set()
        assert await pump.take() == b"c"
        assert await pump.take() == b""
        assert source.is_closed

    asyncio.run(scenario())


def test_a_client_that_falls_behind_is_waited_for():
    async def scenario():
        source = Source(*[b"x" * 1000] * 1000)
        pump = Pump(source.run())
        assert len(await pump.take()) <= MOST_BYTES + 1000
        await asyncio.sleep(0)
        assert source.given < 1000
        await pump.close()
        assert source.is_closed

    asyncio.run(scenario())


def body_of(source):
    async def scenario():
        response = await streaming.stream(REQUEST, source.run())
        return [part async for part in response]

    return asyncio.run(scenario())


def test_an_error_before_the_first_word_is_raised_and_one_behind_it_is_told():
    early = Source(error=invalid("no", "messages"))
    with pytest.raises(type(early.error)):
        body_of(early)
    parts = body_of(Source(b"data: 1\n\n", error=gateway.StreamCut("torn")))
    told = json.loads(parts[-1].removeprefix(b"data: "))["error"]
    assert parts[0] == b"data: 1\n\n"
    assert (told["type"], told["code"]) == ("server_error", "stream_cut")
    assert "torn" in told["message"]
    (told,) = body_of(Source(b"x", error=RuntimeError("secret")))[1:]
    assert b"secret" not in told


def test_a_silent_endpoint_gets_comments_before_its_first_word(monkeypatch):
    monkeypatch.setattr(streaming, "SILENT_SECONDS", 0.02)

    async def scenario():
        source = Source(None, b"word", pause=asyncio.Event())
        response = await streaming.stream(REQUEST, source.run())
        parts = aiter(response)
        assert await anext(parts) == streaming.COMMENT
        source.pause.set()
        rest = [part async for part in parts]
        assert rest[-1] == b"word"
        assert set(rest[:-1]) <= {streaming.COMMENT}

    asyncio.run(scenario())


def test_a_body_that_is_never_read_ends_its_source():
    async def scenario():
        source = Source(b"word", None, pause=asyncio.Event())
        response = await streaming.stream(REQUEST, source.run())
        await asyncio.to_thread(response.close)
        for _ in range(1000):
            if source.is_closed:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it goes on")

    asyncio.run(scenario())


def test_chunks_are_put_together_whatever_is_in_them():
    assembly = Assembly()
    deltas = call_deltas(("weather", '{"city": "Graz"}'), ("time", "{}"))
    for delta in [*deltas, {"audio": {"data": "ab"}}, {"audio": {"data": "cd"}}]:
        assembly.add({"id": "a", "choices": [{"index": 0, "delta": delta}]})
    assembly.add({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    assembly.add({"choices": [], "usage": {"total_tokens": 3}})
    whole = assembly.whole()
    (choice,) = whole["choices"]
    calls = choice["message"]["tool_calls"]
    assert [call["function"] for call in calls] == [
        {"name": "weather", "arguments": '{"city": "Graz"}'}, {"name": "time", "arguments": "{}"},
    ]  # fmt: skip
    assert choice["message"]["audio"] == {"data": "abcd"}
    assert choice["message"]["content"] is None
    assert (whole["id"], whole["usage"]) == ("a", {"total_tokens": 3})


def test_every_error_of_the_gateway_has_a_status():
    def all_of(kind):
        return [kind, *(found for below in kind.__subclasses__() for found in all_of(below))]

    told = {"name": "b", "owner": "o", "unit": "tokens", "left": "1", "needed": "2"}
    needs = {gateway.BudgetExhausted: told | {"resets_at": None}}
    statuses = {
        kind.type: describe(kind("why", **needs.get(kind, {}))).status
        for kind in all_of(gateway.GatewayError)
    }
    assert set(statuses.values()) <= {400, 403, 429, 502, 503, 504}
    assert statuses["bad_request"] == statuses["context_overflow"] == 400
    assert (statuses["rate_limited"], statuses["endpoint_timeout"]) == (429, 504)
    assert (statuses["bad_credentials"], statuses["label_unmet"]) == (502, 403)
    limited = describe(gateway.RateLimited("slow down", retry_after=6.2))
    assert limited.headers == {"Retry-After": "7"}


def post(key, path="chat/completions", **body):
    asked = {"model": "scripted", "messages": [{"role": "user", "content": "?"}]} | body
    return Client().post(
        f"/v1/{path}", json.dumps(asked), "application/json", headers={"Authorization": key}
    )


@pytest.mark.django_db
def test_the_rate_limits_of_the_house_apply(alice, settings):
    key = f"Bearer {tokens.issue(alice, 't')[1]}"
    settings.PARLEY_LIMITS = settings.PARLEY_LIMITS | {"turns": parse_rates("2/h/token")}
    answers = [post(key, model="nobody") for _ in range(4)]
    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) > 0
    assert answers[-1].json()["error"]["code"] == "rate_limit_exceeded"


@pytest.mark.django_db
def test_each_choice_of_each_prompt_counts_as_a_question(alice, settings):
    settings.PARLEY_LIMITS = settings.PARLEY_LIMITS | {"turns": parse_rates("12/h/token")}
    forget_everybody()
    key = f"Bearer {tokens.issue(alice, 't')[1]}"
    two = [post(key, "completions", model="nobody", prompt=["?"] * 3, n=2) for _ in range(2)]
    assert [answer.status_code for answer in two] == [404, 404]
    assert post(key, "completions", model="nobody", prompt="?").status_code == 429


@pytest.mark.django_db
def test_each_choice_of_a_chat_completion_counts_as_a_question(alice, settings):
    settings.PARLEY_LIMITS = settings.PARLEY_LIMITS | {"turns": parse_rates("12/h/token")}
    forget_everybody()
    key = f"Bearer {tokens.issue(alice, 't')[1]}"
    assert post(key, model="nobody", n="many").status_code == 400
    assert [post(key, model="nobody", n=11).status_code, post(key).status_code] == [404, 429]


@pytest.mark.django_db
def test_a_body_beyond_the_limit_is_refused(alice, settings):
    settings.PARLEY_MAX_V1_MB = 1
    key = f"Bearer {tokens.issue(alice, 't')[1]}"
    refused = post(key, more="x" * 2**20)
    assert (refused.status_code, refused.json()["error"]["code"]) == (413, "request_too_large")


@pytest.mark.django_db(transaction=True)
def test_labels_that_a_team_demands_hold_here_too(alice, team):
    """Nothing is sent to an endpoint without them; a random model of the name is no way around."""
    team.required_labels = ["eu"]
    team.save()
    Membership.objects.get_or_create(team=team, user=alice)
    endpoint = Endpoint.objects.create(name="far", base_url="http://127.0.0.1:9/v1")
    for kind in ("chat", "embedding", "rerank"):
        model = Model.objects.create(name=f"far-{kind}", kind=kind)
        Deployment.objects.create(model=model, endpoint=endpoint, upstream_name="far")
    key = f"Bearer {tokens.issue(alice, 't')[1]}"
    for path, body in (
        ("chat/completions", {"model": "far-chat"}),
        ("embeddings", {"model": "far-embedding", "input": "?"}),
        ("rerank", {"model": "far-rerank", "query": "?", "documents": ["?"]}),
    ):
        refused = post(key, path, **body)
        assert refused.status_code == 403, refused.content
        assert "eu" in refused.json()["error"]["message"]


@pytest.mark.parametrize("name", ["max_tokens", "seed", "top_k", "max_completion_tokens"])
@pytest.mark.parametrize("value", [1e308, -1e20, 2**63])
def test_numbers_that_no_server_could_read_are_refused_by_name(name, value):
    with pytest.raises(ApiError, match="out of range") as refused:
        chat_request({name: value}, "m", [{"role": "user", "content": "?"}])
    assert (refused.value.status, refused.value.param) == (400, name)
