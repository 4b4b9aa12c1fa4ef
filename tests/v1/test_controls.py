"""Controls beyond OpenAI's: typed, so that each is sent, emulated or refused by its name."""

import time

import openai
import pytest

from agents.openai.errors import ApiError
from agents.openai.fields import chat_request
from gateway.models import Deployment
from tests.support.model_server import Script

HELLO = [{"role": "user", "content": "Hello?"}]
SCHEMA = {"type": "object"}


@pytest.mark.parametrize(
    ("body", "control", "value"),
    [
        ({"word_bias": {"no": -100, "yes": 2.5}}, "word_bias", {"no": -100.0, "yes": 2.5}),
        ({"lora": "pirate"}, "lora", "pirate"),
        ({"draft": {"n_max": 4}}, "draft", {"n_max": 4}),
        ({"guided_choice": ["a", "b"]}, "choices", ("a", "b")),
        ({"guided_json": SCHEMA}, "json_schema", SCHEMA),
        ({"guided_regex": "a+"}, "regex", "a+"),
        ({"guided_grammar": "root ::= x"}, "grammar", "root ::= x"),
        ({"grammar": "root ::= x"}, "grammar", "root ::= x"),
        ({"structured_outputs": {"choice": ["a"]}}, "choices", ("a",)),
        ({"structured_outputs": {"json": SCHEMA}}, "json_schema", SCHEMA),
        ({"structured_outputs": {"regex": "a+"}}, "regex", "a+"),
        ({"structured_outputs": {"grammar": "root ::= x"}}, "grammar", "root ::= x"),
    ],
)
def test_a_control_is_known_by_each_of_its_names(body, control, value):
    asked = chat_request(dict(body), "m", HELLO)
    assert getattr(asked.controls, control) == value
    assert asked.extra == {}


def test_what_is_not_known_goes_on_as_it_is():
    unknown = {"structured_outputs": {"structural_tag": "x"}, "guided_json": "{}"}
    assert chat_request(dict(unknown), "m", HELLO).extra == unknown


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"word_bias": {"no": 101}}, "word_bias"),
        ({"word_bias": {"no": True}}, "word_bias"),
        ({"word_bias": {"no": float("nan")}}, "word_bias"),
        ({"word_bias": {" ": 1}}, "word_bias"),
        ({"word_bias": {"x" * 101: 1}}, "word_bias"),
        ({"word_bias": ["no"]}, "word_bias"),
        ({"lora": [{"id": 0, "scale": 1.0}]}, "lora"),
        ({"draft": 4}, "draft"),
        ({"guided_regex": "a", "grammar": "root ::= x"}, "response_format"),
    ],
)
def test_what_is_no_control_is_refused_by_name(body, param):
    with pytest.raises(ApiError) as refused:
        chat_request(body, "m", HELLO)
    assert refused.value.param == param


@pytest.mark.processes
@pytest.mark.timeout(300)
@pytest.mark.django_db(transaction=True)
def test_words_adapters_and_drafts_reach_the_server_in_its_words(client, served):
    Deployment.objects.update(probed={"server": "llama.cpp"})
    served.pages |= {
        "/lora-adapters": [{"id": 0, "path": "/models/pirate.gguf", "scale": 0.0}],
        "/tokenize": lambda body: {"tokens": [{"id": len(body["content"]), "piece": "no"}]},
    }
    time.sleep(2.2)  # the web process remembers routes for two seconds
    served.queue(Script(text="Yes."))

    def ask(**more):
        return client.chat.completions.create(model="scripted", messages=HELLO, extra_body=more)

    ask(word_bias={"no": -100}, lora="pirate", draft={"n_max": 4, "model": "x"})
    (sent,) = served.chat_requests
    assert sent["logit_bias"] == {"2": -100.0, "3": -100.0}
    assert sent["lora"] == [{"id": 0, "scale": 1.0}]
    assert (sent["speculative.n_max"], sent["model"]) == (4, "tiny")
    with pytest.raises(openai.BadRequestError, match="no adapter “ninja”") as refused:
        ask(lora="ninja")
    assert refused.value.code == "unsupported_parameter"
