"""The Responses API with the official client and its helpers, against a real web process."""

import openai
import pytest
from pydantic import BaseModel

from tests.support.model_server import Script
from tests.v1.streams import call_deltas, chunks

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
]
TOOL = {
    "type": "function",
    "name": "weather",
    "strict": True,
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}


class Weather(BaseModel):
    city: str


def test_a_whole_response(client, served):
    served.queue(Script(text="Good day.", reasoning="Polite?", token_size=3))
    said = client.responses.create(
        model="scripted", input="Hello?", instructions="Be polite.", store=True,
        max_output_tokens=50, metadata={"a": "b"}, reasoning={"effort": "low"},
    )  # fmt: skip
    assert said.output_text == "Good day."
    assert [item.type for item in said.output] == ["reasoning", "message"]
    assert said.output[0].content[0].text == "Polite?"
    assert (said.status, said.store, said.metadata) == ("completed", False, {"a": "b"})
    assert (said.usage.input_tokens, said.usage.total_tokens) == (10, 15)
    (sent,) = served.chat_requests
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert 50 in {sent.get("max_tokens"), sent.get("max_completion_tokens")}


def test_the_events_of_a_streamed_response(client, served):
    served.queue(Script(text="Good day.", token_size=3))
    with client.responses.stream(model="scripted", input="Hello?") as stream:
        events = list(stream)
        final = stream.get_final_response()
    kinds = [event.type for event in events]
    assert kinds[:4] == [
        "response.created", "response.in_progress", "response.output_item.added",
        "response.content_part.added",
    ]  # fmt: skip
    assert kinds[-4:] == [
        "response.output_text.done", "response.content_part.done", "response.output_item.done",
        "response.completed",
    ]  # fmt: skip
    assert [event.sequence_number for event in events] == list(range(len(events)))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == final.output_text == "Good day."
    assert final.usage.output_tokens == 5


@pytest.mark.parametrize("is_stream", [False, True])
def test_functions_are_called_and_their_results_told(client, served, is_stream):
    calls = call_deltas(("weather", '{"city": "Graz"}'), ("weather", '{"city": "Wien"}'))
    served.queue(Script(raw=chunks(*calls, finish="tool_calls")), Script(text="Rain."))
    asked = [{"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]}]
    if is_stream:
        with client.responses.stream(model="scripted", input=asked, tools=[TOOL]) as stream:
            kinds = {event.type for event in stream}
            said = stream.get_final_response()
        assert "response.function_call_arguments.done" in kinds
    else:
        said = client.responses.create(model="scripted", input=asked, tools=[TOOL])
    assert [(item.type, item.name, item.arguments) for item in said.output] == [
        ("function_call", "weather", '{"city": "Graz"}'),
        ("function_call", "weather", '{"city": "Wien"}'),
    ]
    told = [
        {"type": "function_call_output", "call_id": item.call_id, "output": "rain"}
        for item in said.output
    ]
    back = [
        item.model_dump(exclude_none=True, exclude={"parsed_arguments"}) for item in said.output
    ]
    after = client.responses.create(model="scripted", input=[*asked, *back, *told], tools=[TOOL])
    assert after.output_text == "Rain."
    first, second = served.chat_requests
    assert first["tools"][0]["function"]["name"] == "weather"
    roles = [message["role"] for message in second["messages"]]
    assert roles == ["user", "assistant", "tool", "tool"]
    assert len(second["messages"][1]["tool_calls"]) == 2


def test_parse_reads_the_form_that_was_asked_for(client, served):
    served.queue(Script(text='{"city": "Graz"}', token_size=2))
    said = client.responses.parse(model="scripted", input="Where?", text_format=Weather)
    assert said.output_parsed == Weather(city="Graz")


def test_an_answer_that_was_cut_is_incomplete(client, served):
    served.queue(Script(text="Half", finish_reason="length"))
    said = client.responses.create(model="scripted", input="Hello?")
    assert (said.status, said.incomplete_details.reason) == ("incomplete", "max_output_tokens")


def test_an_agent_answers_here_too(client, served, plain):
    served.queue(Script(text="I am an agent."))
    said = client.responses.create(model="plain", input="Who?")
    assert (said.output_text, said.output[0].content[0].annotations) == ("I am an agent.", [])


def test_what_is_refused_and_what_fails(client, served):
    for refused, param in (
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"tools": [{"type": "web_search"}]}, "tools[0]"), ({"background": True}, "background"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0].type"),
        ({"input": []}, "input"),
    ):  # fmt: skip
        with pytest.raises(openai.BadRequestError) as error:
            client.responses.create(**{"model": "scripted", "input": "Hello?"} | refused)
        assert error.value.param == param
    served.default = Script(text="Half of it", error_after=2, finish_reason=None)
    stream = client.responses.create(model="scripted", input="Hello?", stream=True)
    heard = []
    with pytest.raises(openai.APIError):
        heard.extend(stream)
    assert heard[-1].type == "response.failed"
    with pytest.raises(openai.NotFoundError) as error:
        client.responses.retrieve("resp_1")
    assert "not stored" in error.value.message
