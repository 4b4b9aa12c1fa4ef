"""What programs that ask a model by its name say and hear: every text of it is looked at."""

import asyncio
import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from agents.guardrails.guard import Guard
from agents.guardrails.programs import asked, shown
from agents.guardrails.sent import QuestionBlocked
from agents.guardrails.vault import Vault
from gateway.controls import Controls
from gateway.types import ChatRequest
from tests.agents.guardrails.rules_of import rule

MAIL = "bob@example.org"
KEY = "ghp_" + "a1B2c3D4e5" * 4


def guard(*rules):
    asking = SimpleNamespace(demands=())
    return Guard(rules, asking, Vault("x"), ())


def sent(rules, *messages):
    request = ChatRequest(model="m", messages=messages)
    return list(asyncio.run(asked(guard(*rules), request)).messages)


def called(arguments):
    function = {"name": "send", "arguments": json.dumps(arguments)}
    call = {"id": "call_1", "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def test_every_text_of_a_message_is_looked_at():
    picture = {"type": "image_url", "image_url": {"url": f"data:{MAIL}"}}
    told = sent(
        [rule(places=("input",)), rule("language", ("input",), "block", languages=["en"])],
        called({"to": MAIL, "about": "Das ist ein ganz gewöhnlicher deutscher Satz."}),
        {"role": "user", "name": MAIL, "content": [{"type": "text", "text": MAIL}, picture]},
        {"role": "assistant", "content": "Hm.", "reasoning_content": f"It is {MAIL}."},
    )
    assert json.dumps(told).count(MAIL) == 1  # in the picture
    assert told[1]["content"][1] == picture
    call = told[0]["tool_calls"][0]
    assert (call["id"], told[0]["content"]) == ("call_1", None)
    assert json.loads(call["function"]["arguments"])["to"].startswith("[EMAIL_")


def test_definitions_of_tools_and_unknown_fields_are_looked_at():
    mail = {"type": "string", "description": f"Not {MAIL}", "enum": [MAIL], "default": None}
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"to": mail},
        "required": ["to"],
    }
    function = {"name": "send", "description": f"Ask {MAIL} before.", "parameters": schema}
    request = ChatRequest(
        model="m",
        messages=({"role": "user", "content": "Send it."},),
        tools=({"type": "function", "function": function},),
        extra={"user": MAIL, "prediction": {"type": "content", "content": MAIL}, "seed": 7},
    )
    told = asyncio.run(asked(guard(rule(places=("input",))), request))
    assert MAIL not in json.dumps([told.tools, told.extra])
    assert json.dumps(told.tools).count("[EMAIL_") == 3
    assert told.tools[0]["function"]["parameters"]["required"] == ["to"]
    assert told.extra["seed"] == 7
    elsewhere = rule("domains", ("input",), "block", allowed=[])
    told = asyncio.run(asked(guard(elsewhere), replaced(request, "somebody")))
    assert "$schema" in told.tools[0]["function"]["parameters"]
    with pytest.raises(QuestionBlocked):
        asyncio.run(asked(guard(rule("secrets", ("input",), "block")), replaced(request, KEY)))


@pytest.mark.parametrize("name", ["file", "audio", "role", "id", "type", "image_url", "$ref"])
def test_a_property_hides_no_words_by_its_name(name):
    of_it = {"type": ["string", "null"], "description": f"Not {MAIL}", "enum": [MAIL]}
    schema = {"type": "object", "$id": "urn:x", "properties": {name: of_it}, "required": [name]}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    request = ChatRequest(
        model="m",
        messages=({"role": "user", "content": "Send it."},),
        tools=({"type": "function", "function": {"name": "send", "parameters": schema}},),
        extra={"response_format": form},
    )
    told = asyncio.run(asked(guard(rule(places=("input",))), request))
    for at in (told.tools[0]["function"]["parameters"],
               told.extra["response_format"]["json_schema"]["schema"]):  # fmt: skip
        shown = at["properties"][name]
        assert MAIL not in json.dumps(at)
        assert shown["description"].startswith("Not [EMAIL_")
        assert shown["enum"][0].startswith("[EMAIL_")
        assert shown["type"] == ["string", "null"]
        assert (at["type"], at["$id"], at["required"]) == ("object", "urn:x", [name])
    blocking = guard(rule("secrets", ("input",), "block"))
    with pytest.raises(QuestionBlocked):
        asyncio.run(asked(blocking, replaced(request, KEY)))


def test_lists_are_looked_at_whatever_they_are_called():
    request = ChatRequest(model="m", messages=(), extra={"metadata": {"id": [MAIL], "type": "x"}})
    told = asyncio.run(asked(guard(rule(places=("input",))), request))
    assert told.extra["metadata"]["id"][0].startswith("[EMAIL_")


def controlled(rules, **controls):
    request = ChatRequest(model="m", messages=(), controls=Controls(**controls))
    return asyncio.run(asked(guard(*rules), request)).controls


def test_the_form_that_is_wanted_and_other_controls_are_looked_at():
    """As they come through `/v1`, where they are no unknown fields."""
    mails = [rule(places=("input",))]
    schema = {"type": "object", "properties": {"to": {"enum": [MAIL], "type": "string"}}}
    told = controlled(
        mails, json_schema=schema, stop=(MAIL,), prediction=f"To {MAIL}.", word_bias={MAIL: 5.0},
        seed=7, draft={"n_max": 4},
    )  # fmt: skip
    assert MAIL not in str(told)
    (masked,) = told.json_schema["properties"]["to"]["enum"]
    assert masked.startswith("[EMAIL_")
    assert (told.stop, told.prediction) == ((masked,), f"To {masked}.")
    assert (told.word_bias, told.seed, told.draft) == ({masked: 5.0}, 7, {"n_max": 4})
    assert controlled(mails, choices=("yes", MAIL)).choices == ("yes", masked)
    with pytest.raises(QuestionBlocked):
        controlled([rule("secrets", ("input",), "block")], prediction=KEY)


@pytest.mark.parametrize("name", ["regex", "grammar", "lora", "reasoning_effort"])
def test_what_cannot_be_hidden_in_a_control_is_not_passed_on(name):
    mails = [rule(places=("input",))]
    assert getattr(controlled(mails, **{name: "(a|b)+"}), name) == "(a|b)+"
    with pytest.raises(QuestionBlocked) as blocked:
        controlled(mails, **{name: f"({MAIL}|b)"})
    assert blocked.value.args[0].code == "guardrail_in_form"


def replaced(request, text):
    tools = json.loads(json.dumps(request.tools).replace(MAIL, text))
    return replace(request, tools=tuple(tools), extra={})


def test_what_arguments_say_can_be_blocked():
    with pytest.raises(QuestionBlocked):
        sent([rule("secrets", ("input",), "block")], called({"key": KEY}))


def test_what_was_hidden_in_results_is_hidden_in_answers():
    results_alone = [rule(places=("tool_result",))]
    told = sent(
        results_alone,
        {"role": "tool", "tool_call_id": "call_1", "content": MAIL},
        {"role": "assistant", "content": f"It is {MAIL}."},
        {"role": "user", "content": f"Sure? {MAIL}"},
    )
    assert [MAIL in one["content"] for one in told] == [False, False, True]


def heard(rules, *choices):
    async def chunks():
        for choice in choices:
            yield {"id": "x", "choices": [choice]}

    async def listen():
        return [chunk["choices"][0] async for chunk in shown(guard(*rules), chunks())]

    return asyncio.run(listen())


def spelled(is_last):
    """As servers tell an answer with the probabilities of its words and more of their own."""
    return {
        "index": 0,
        "delta": {
            "role": "assistant",
            "content": f"{MAIL} ",
            "reasoning_details": [{"text": MAIL}],
            "tool_calls": [],
        },
        "logprobs": {"content": [{"token": MAIL}]},
        "token_ids": [1, 2],
        "message": {"content": MAIL},
        "finish_reason": "stop" if is_last else None,
    }


def test_nothing_beside_the_words_tells_them():
    told = heard([rule()], spelled(is_last=False), spelled(is_last=True))
    assert "example.org" not in json.dumps(told)
    assert "".join(one["delta"]["content"] for one in told) == "[EMAIL] " * 2
    assert told[0]["logprobs"] is None
    assert told[0]["delta"]["tool_calls"] == []
    assert set(told[1]) == {"index", "delta", "logprobs", "finish_reason"}


def test_an_answer_without_rules_of_its_own_is_as_it_came():
    (told,) = heard([rule(places=("input",))], spelled(is_last=True))
    assert told["logprobs"] == spelled(is_last=True)["logprobs"]
    assert told["message"] == {"content": MAIL}
