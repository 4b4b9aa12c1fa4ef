"""Programs meet the rules of an agent as people do."""

import json
import time

import openai
import pytest

from agents.guardrails.ruleset import forget_installed
from agents.models import Agent, InstalledGuardrail
from tests.support.model_server import Script

pytestmark = [
    pytest.mark.processes,
    pytest.mark.timeout(300),
    pytest.mark.django_db(transaction=True),
]
MAIL = "bob@example.org"
KEY = "ghp_" + "a1B2c3D4e5" * 4
MASKED = {"name": "Mails", "kind": "personal_data", "places": ["input"], "action": "mask"}
BLOCKED = {"name": "Keys", "kind": "secrets", "places": ["input", "output"], "action": "block"}


@pytest.fixture
def guarded(plain) -> Agent:
    Agent.objects.filter(pk=plain.pk).update(guardrails=[MASKED, BLOCKED])
    return plain


def ask(client, text, **more):
    asked = [{"role": "system", "content": f"Sign as {MAIL}."}, {"role": "user", "content": text}]
    return client.chat.completions.create(model="plain", messages=asked, **more)


def sent(served) -> str:
    return str(served.chat_requests)


def test_masks_are_put_back_for_programs(client, served, guarded):
    """Also of what a program says as the system."""
    served.default = Script(
        text=lambda request: "It is " + request["messages"][-1]["content"].split("Who is ")[1],
        token_size=3,
    )
    said = ask(client, f"Who is {MAIL}?")
    assert said.choices[0].message.content == f"It is {MAIL}?"
    assert "Mails" in said.choices[0].message.notice
    assert MAIL not in sent(served)
    words = [chunk.choices[0].delta.content or "" for chunk in
             ask(client, f"Who is {MAIL}?", stream=True) if chunk.choices]  # fmt: skip
    assert "".join(words) == f"It is {MAIL}?"


@pytest.mark.parametrize("stream", [False, True])
def test_a_blocked_question_and_a_blocked_answer(client, served, guarded, stream):
    before = len(served.chat_requests)
    said = whole(ask(client, f"Use {KEY}", stream=stream), stream)
    assert "Keys" in said[0]
    assert len(served.chat_requests) == before
    served.queue(Script(text=f"It is {KEY} and more. " + "More. " * 80, token_size=7))
    text, reason = whole(ask(client, "Which?", stream=stream), stream)
    assert (text, reason) == ("It is ", "content_filter")


def whole(answer, stream):
    if not stream:
        return answer.choices[0].message.content, answer.choices[0].finish_reason
    chunks = [chunk for chunk in answer if chunk.choices]
    words = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    return words, chunks[-1].choices[0].finish_reason


def test_rules_of_the_installation_hold_for_every_agent(client, served, plain):
    InstalledGuardrail.objects.create(name="Keys", rule=BLOCKED)
    forget_installed()

    time.sleep(2.2)  # the web process remembers them for two seconds
    before = len(served.chat_requests)
    assert "Keys" in ask(client, f"Use {KEY}").choices[0].message.content
    assert len(served.chat_requests) == before


def chosen(request):
    """The one word that the form leaves."""
    schema = request["response_format"]["json_schema"]["schema"]
    return schema["properties"]["to"]["enum"][0]


def forms():
    schema = {
        "type": "object",
        "properties": {"to": {"type": "string", "enum": [MAIL]}},
        "required": ["to"],
        "additionalProperties": False,
    }
    return {"type": "json_schema", "json_schema": {"name": "who", "schema": schema}}


def test_unknown_fields_and_predictions_to_an_agent_are_masked(client, served, guarded):
    served.default = Script(text="Hello.")
    told = {"type": "content", "content": f"It is {MAIL}."}
    ask(client, "Who?", prediction=told, extra_body={"nickname": MAIL}, stop=[MAIL])
    assert MAIL not in sent(served)
    assert "[EMAIL_" in served.chat_requests[-1]["nickname"]
    before = len(served.chat_requests)
    said = ask(client, "Who?", extra_body={"nickname": KEY})
    assert "Keys" in said.choices[0].message.content
    assert len(served.chat_requests) == before


def test_models_by_their_names_have_the_rules_of_the_installation(client, served):
    for name, rule in (("Mails", MASKED | {"places": ["input", "tool_result"]}), ("Keys", BLOCKED)):
        InstalledGuardrail.objects.create(name=name, rule=rule)
    time.sleep(2.2)

    def of_model(text, **more):
        asked = [{"role": "user", "content": text}]
        return client.chat.completions.create(model="scripted", messages=asked, **more)

    served.default = Script(
        text=lambda request: "It is " + request["messages"][-1]["content"].split("Who is ")[1],
        token_size=3,
    )
    assert of_model(f"Who is {MAIL}?").choices[0].message.content == f"It is {MAIL}?"
    assert whole(of_model(f"Who is {MAIL}?", stream=True), stream=True) == (
        f"It is {MAIL}?", "stop",
    )  # fmt: skip
    assert MAIL not in sent(served)
    served.default = Script(text=lambda request: json.dumps({"to": chosen(request)}), token_size=3)
    form = of_model("Who?", response_format=forms())
    assert json.loads(form.choices[0].message.content) == {"to": MAIL}
    assert MAIL not in sent(served)
    before = len(served.chat_requests)
    with pytest.raises(openai.BadRequestError) as error:
        of_model("Who?", extra_body={"guided_regex": f"({MAIL}|nobody)"})
    assert error.value.code == "content_filter"
    with pytest.raises(openai.BadRequestError) as error:
        of_model(f"Use {KEY}")
    assert error.value.code == "content_filter"
    assert "Keys" in error.value.message
    assert len(served.chat_requests) == before
    served.default = Script(text=f"It is {KEY} and more. " + "More. " * 80, token_size=7)
    for stream in (False, True):
        assert whole(of_model("Which?", stream=stream), stream) == ("It is ", "content_filter")
