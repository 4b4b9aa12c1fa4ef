"""Chat completions with the official client, against a real web process."""

import json
import time

import openai
import pytest
from pydantic import BaseModel

from accounts import services, tokens
from accounts.budgets.models import Budget
from gateway.models import Deployment, Model
from observability.remembered import SECONDS as REMEMBERED_SECONDS
from tests.support.model_server import Script
from tests.v1.streams import call_deltas, chunks, lines

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
]
HELLO = [{"role": "user", "content": "Hello?"}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "strict": True,
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
                "additionalProperties": False,
            },
        },
    }
]


class Weather(BaseModel):
    city: str
    degrees: int


def test_a_whole_answer(client, served):
    served.queue(Script(text="Good day to you.", token_size=3))
    said = client.chat.completions.create(model="scripted", messages=HELLO, temperature=0.5)
    assert said.choices[0].message.content == "Good day to you."
    assert said.choices[0].finish_reason == "stop"
    assert said.model == "scripted"
    assert said.id.startswith("chatcmpl-")
    assert said.object == "chat.completion"
    assert said.usage.total_tokens == 15
    (sent,) = served.chat_requests
    assert (sent["model"], sent["temperature"], sent["messages"]) == ("tiny", 0.5, HELLO)


def test_a_cheaper_model_that_a_budget_named_says_its_name(client, served):
    dear = Deployment.objects.get()
    Deployment.objects.filter(pk=dear.pk).update(
        prompt_price=1, completion_price=1000, currency="EUR"
    )
    cheap = Model.objects.create(name="cheap")
    Deployment.objects.create(
        model=cheap, endpoint=dear.endpoint, upstream_name="cheap",
        prompt_price=0, completion_price=0, currency="EUR",
    )  # fmt: skip
    Budget.objects.create(
        name="Spring", scope="installation", unit="money", currency="EUR", limit="0.01",
        falls_back=True, fall_back_to="cheap",
    )  # fmt: skip
    time.sleep(REMEMBERED_SECONDS)  # what the web process remembers of budgets and routes
    said = client.chat.completions.create(model="scripted", messages=HELLO)
    assert (said.model, served.chat_requests[-1]["model"]) == ("cheap", "cheap")


@pytest.mark.parametrize("wants_usage", [True, False])
def test_a_streamed_answer(client, served, wants_usage):
    served.queue(Script(text="Good day to you.", token_size=3))
    more = {"stream_options": {"include_usage": True}} if wants_usage else {}
    found = list(
        client.chat.completions.create(model="scripted", messages=HELLO, stream=True, **more)
    )
    words = [c.choices[0].delta.content or "" for c in found if c.choices]
    assert "".join(words) == "Good day to you."
    assert [c.choices[0].finish_reason for c in found if c.choices][-1] == "stop"
    assert len({chunk.id for chunk in found}) == 1
    assert {chunk.model for chunk in found} == {"scripted"}
    usages = [chunk.usage.total_tokens for chunk in found if chunk.usage]
    assert usages == ([15] if wants_usage else [])


def test_a_tool_is_called_and_its_result_told(client, served):
    asks = chunks(*call_deltas(("weather", '{"city": "Graz"}')), finish="tool_calls")
    served.queue(Script(raw=asks), Script(text="It rains in Graz."))
    said = client.chat.completions.create(model="scripted", messages=HELLO, tools=TOOLS)
    (choice,) = said.choices
    assert choice.finish_reason == "tool_calls"
    (call,) = choice.message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == (
        "weather", {"city": "Graz"},
    )  # fmt: skip
    result = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
    after = client.chat.completions.create(
        model="scripted", tools=TOOLS, messages=[*HELLO, choice.message, result]
    )
    assert after.choices[0].message.content == "It rains in Graz."
    first, second = served.chat_requests
    assert first["tools"] == TOOLS
    assert second["messages"][-1] == result
    assert second["messages"][-2]["tool_calls"][0]["id"] == call.id


def test_the_helpers_stream_and_parse(client, served):
    calls = call_deltas(("weather", '{"city": "Graz"}'), ("weather", '{"city": "Wien"}'))
    served.queue(
        Script(raw=chunks(*calls, finish="tool_calls")),
        Script(text='{"city": "Graz", "degrees": 7}', token_size=2),
    )
    with client.chat.completions.stream(model="scripted", messages=HELLO, tools=TOOLS) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert "tool_calls.function.arguments.done" in kinds
    called = final.choices[0].message.tool_calls
    assert [call.function.parsed_arguments["city"] for call in called] == ["Graz", "Wien"]
    parsed = client.chat.completions.parse(
        model="scripted", messages=HELLO, response_format=Weather
    )
    assert parsed.choices[0].message.parsed == Weather(city="Graz", degrees=7)
    assert "degrees" in json.dumps(served.chat_requests[-1])  # the schema reached the endpoint


def test_fields_that_nobody_knows_pass_both_ways(client, served):
    """Also log-probabilities, several choices and thoughts, put together where nothing streams."""
    told = lines(
        {"choices": [{"index": 0, "delta": {"role": "assistant", "reasoning_content": "Hm"}}]},
        {"choices": [{"index": 0, "delta": {"reasoning_content": "m."}}]},
        {"choices": [{"index": 1, "delta": {"content": "Ja"}},
                     {"index": 0, "delta": {"content": "Y"},
                      "logprobs": {"content": [{"token": "Y", "logprob": -0.5}]}}]},
        {"choices": [{"index": 0, "delta": {"content": "es"},
                      "logprobs": {"content": [{"token": "es", "logprob": -0.1}]}}]},
        {"choices": [{"index": n, "delta": {}, "finish_reason": "stop"} for n in (0, 1)],
         "system_fingerprint": "fp_7", "timings": {"ms": 3}},
    )  # fmt: skip
    served.queue(Script(raw=told), Script(raw=told))
    body = {"model": "scripted", "messages": HELLO, "n": 2, "logprobs": True, "top_logprobs": 1}
    said = client.chat.completions.create(**body, extra_body={"mirostat": 2})
    yes, ja = said.choices
    assert (yes.message.content, ja.message.content) == ("Yes", "Ja")
    assert yes.message.reasoning_content == "Hmm."
    assert [entry.token for entry in yes.logprobs.content] == ["Y", "es"]
    assert (said.system_fingerprint, said.timings) == ("fp_7", {"ms": 3})
    (sent,) = served.chat_requests
    assert (sent["mirostat"], sent["n"], sent["logprobs"]) == (2, 2, True)
    found = list(client.chat.completions.create(**body, stream=True))
    assert found[-1].timings == {"ms": 3}
    assert found[0].choices[0].delta.reasoning_content == "Hm"


def test_an_agent_is_a_model(client, plain, served):
    served.queue(Script(text="I am an agent.", token_size=3), Script(text="Still."))
    said = client.chat.completions.create(
        model="plain", temperature=0.7, seed=7,
        messages=[{"role": "system", "content": "Be terse."}, *HELLO,
                  {"role": "assistant", "content": "Hi."},
                  {"role": "user", "content": [{"type": "text", "text": "Who are you?"}]}],
    )  # fmt: skip
    assert said.choices[0].message.content == "I am an agent."
    assert said.choices[0].message.citations == []
    assert said.usage.prompt_tokens == 10
    (sent,) = served.chat_requests
    assert (sent["temperature"], sent["messages"][2]["content"]) == (0.7, "Hi.")
    assert sent["messages"][0]["content"].endswith("Be terse.")
    assert "Who are you?" in sent["messages"][-1]["content"]
    with client.chat.completions.stream(model="plain", messages=HELLO) as stream:
        final = stream.get_final_completion()
    assert (final.choices[0].message.content, final.choices[0].message.citations) == ("Still.", [])


def test_what_an_agent_cannot_do_is_refused(client, plain):
    for refused, param in (
        ({"tools": TOOLS}, "tools"), ({"n": 2}, "n"), ({"logprobs": True}, "logprobs"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"messages": [*HELLO, {"role": "assistant", "content": "So"}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
         "messages[0].content"),
    ):  # fmt: skip
        with pytest.raises(openai.BadRequestError) as error:
            client.chat.completions.create(**{"model": "plain", "messages": HELLO} | refused)
        assert error.value.param == param


def test_errors_are_the_clients_own(client, served, web_port, alice, charlie, plain):
    """Each status is the one that the client makes its exception of."""

    def create(**more):
        return client.chat.completions.create(**{"model": "scripted", "messages": HELLO} | more)

    for script, kind, code in (
        (Script(status=400, error={"message": "no such knob"}),
         openai.BadRequestError, "invalid_value"),
        (Script(status=400, error={"message": "x", "code": "context_length_exceeded"}),
         openai.BadRequestError, "context_length_exceeded"),
        (Script(status=401, error={"message": "bad key"}),
         openai.InternalServerError, "endpoint_refused_key"),
    ):  # fmt: skip
        served.default = script
        for stream in (False, True):
            with pytest.raises(kind) as error:
                create(stream=stream)
            assert error.value.code == code
            assert error.value.type in {"invalid_request_error", "server_error"}
    asked = len(served.chat_requests)
    for wrong, param in (
        ({"messages": []}, "messages"), ({"messages": ["x"]}, "messages[0]"),
        ({"temperature": "hot"}, "temperature"), ({"stream_options": 1}, "stream_options"),
        ({"model": ""}, "model"),
    ):  # fmt: skip
        with pytest.raises(openai.BadRequestError) as error:
            create(**wrong)
        assert error.value.param == param
    assert len(served.chat_requests) == asked
    stranger = client.with_options(api_key=tokens.issue(charlie, "t")[1])
    for asking, name in ((client, "nobody"), (stranger, "plain"), (stranger, "nobody")):
        with pytest.raises(openai.NotFoundError) as error:
            asking.chat.completions.create(model=name, messages=HELLO)
        assert error.value.code == "model_not_found"
        assert f"`{name}` does not exist or you do not have access" in error.value.message
    reader = client.with_options(api_key=tokens.issue(alice, "r", ["read"])[1])
    with pytest.raises(openai.PermissionDeniedError):
        reader.chat.completions.create(model="scripted", messages=HELLO)
    with pytest.raises(openai.AuthenticationError) as error:
        client.with_options(api_key="par_nonsense").models.list()
    assert error.value.code == "invalid_api_key"


def test_an_error_behind_the_first_word_ends_the_stream(client, served):
    """What was said before arrives; then the error, as the client understands it."""
    served.default = Script(text="Half of it", token_size=4, error_after=2, finish_reason=None)
    heard = []
    stream = client.chat.completions.create(model="scripted", messages=HELLO, stream=True)
    with pytest.raises(openai.APIError) as error:
        heard.extend(chunk.choices[0].delta.content or "" for chunk in stream)
    assert "".join(heard).startswith("Half")
    assert "crashed" in error.value.message


def test_a_client_that_goes_away_stops_the_upstream(client, served):
    served.default = Script(text="word " * 400, delay=0.05)
    stream = client.chat.completions.create(model="scripted", messages=HELLO, stream=True)
    for _ in zip(range(3), stream, strict=False):
        pass
    assert served.answering == 1
    stream.close()
    assert served.wait_for(lambda server: server.disconnects == 1, 20)
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=1).chat.completions.create(model="scripted", messages=HELLO)
    assert served.wait_for(lambda server: server.disconnects == 2, 20)


@pytest.mark.parametrize("how", ["revoked", "disabled"])
def test_whoever_loses_the_right_to_ask_hears_no_more(client, served, alice, how):
    served.default = Script(text="word " * 4000, token_size=5, delay=0.05)
    stream = client.chat.completions.create(model="scripted", messages=HELLO, stream=True)
    next(iter(stream))
    tokens.revoke(alice.api_tokens.get()) if how == "revoked" else services.disable(alice)
    with pytest.raises(openai.APIError) as error:
        list(stream)
    assert "API key" in error.value.message
    assert served.wait_for(lambda server: server.disconnects == 1, 20)


def test_raw_responses_carry_the_request_id(client, served):
    raw = client.chat.completions.with_raw_response.create(model="scripted", messages=HELLO)
    assert raw.headers["x-request-id"] == raw.parse()._request_id
    assert raw.headers["content-type"] == "application/json"
