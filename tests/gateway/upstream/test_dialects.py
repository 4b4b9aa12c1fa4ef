"""What is sent to whom; nothing that was asked for is left out in silence."""

import pytest

from gateway.controls import Capability, Controls
from gateway.errors import BadRequest, ContextOverflow, UnsupportedControl
from gateway.types import ChatRequest, PromptMessage, Route
from gateway.upstream.dialect import Quirk, chat_payload, quirk_behind
from gateway.upstream.servers import Server, server_of
from gateway.upstream.structure import is_strict

CACHES = {Capability.CACHE_KEY, Capability.CACHE_MARKS, Capability.CACHE_SALT}
ALL = frozenset(Capability) - CACHES
SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}
OPEN_SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
NATIVE = {
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
    }
}
VLLM, GUIDED, LLAMA = Server.VLLM, Server.VLLM_GUIDED, Server.LLAMA_CPP


def at(server="", can=ALL, **fields):
    return Route("m", "up", "one", "http://127.0.0.1/v1", server=server, capabilities=can, **fields)


def sent(route, quirks=frozenset(), **request):
    request = {"messages": (PromptMessage("user", "hi"),)} | request
    payload = chat_payload(route, ChatRequest("m", **request), quirks)
    usual = {"model", "stream", "stream_options"}
    return {name: value for name, value in payload.items() if name not in usual}


def controlled(server, *, can=ALL, **controls):
    payload = sent(at(server, can), controls=Controls(**controls))
    payload.pop("messages")
    return payload


@pytest.mark.parametrize(
    ("server", "controls", "fields"),
    [
        ("", {"top_p": 0.5, "seed": 0, "stop": ("a",)}, {"top_p": 0.5, "seed": 0, "stop": ["a"]}),
        ("", {"top_k": 5, "repetition_penalty": 1.1}, {"top_k": 5, "repetition_penalty": 1.1}),
        (LLAMA, {"repetition_penalty": 1.1, "min_p": 0.1}, {"repeat_penalty": 1.1, "min_p": 0.1}),
        (Server.MISTRAL, {"seed": 7}, {"random_seed": 7}),
        ("", {"logit_bias": {"5": -1}}, {"logit_bias": {"5": -1}}),
        ("", {"top_logprobs": 2}, {"logprobs": True, "top_logprobs": 2}),
        ("", {"prediction": "x"}, {"prediction": {"type": "content", "content": "x"}}),
        (LLAMA, {"draft": {"n_max": 4}}, {"speculative.n_max": 4}),
        ("", {"draft": {"model": "x"}}, {"speculative.model": "x"}),
        ("", {"reasoning_effort": "low"}, {"reasoning_effort": "low"}),
        (LLAMA, {"reasoning_effort": "low"}, {"chat_template_kwargs": {"reasoning_effort": "low"}}),
        ("", {"json_schema": SCHEMA}, NATIVE),
        (Server.OPENAI, {"json_schema": SCHEMA}, NATIVE),
        (VLLM, {"choices": ("a", "b")}, {"structured_outputs": {"choice": ["a", "b"]}}),
        (GUIDED, {"choices": ("a", "b")}, {"guided_choice": ["a", "b"]}),
        (LLAMA, {"choices": ("a", '"b"')}, {"grammar": r'root ::= "a" | "\"b\""'}),
        (Server.SGLANG, {"choices": ("a.", "b")}, {"regex": r"(a\.|b)"}),
        (VLLM, {"regex": "a+"}, {"structured_outputs": {"regex": "a+"}}),
        (Server.TGI, {"regex": "a+"}, {"response_format": {"type": "regex", "value": "(a+)"}}),
        (LLAMA, {"regex": "a/b"}, {"grammar": "%llguidance {}\nstart: /a\\/b/"}),
        (VLLM, {"grammar": "root ::= x"}, {"structured_outputs": {"grammar": "root ::= x"}}),
        (GUIDED, {"grammar": "root ::= x"}, {"guided_grammar": "root ::= x"}),
        (Server.SGLANG, {"grammar": "root ::= x"}, {"ebnf": "root ::= x"}),
        (LLAMA, {"grammar": "root ::= x"}, {"grammar": "root ::= x"}),
    ],
)
def test_each_server_in_its_dialect(server, controls, fields):
    assert controlled(server, **controls) == fields


@pytest.mark.parametrize(
    ("server", "controls", "named"),
    [
        (Server.OPENAI, {"top_k": 5}, "top_k"),
        (Server.OLLAMA, {"min_p": 0.1}, "min_p"),
        (Server.DEEPSEEK, {"seed": 1}, "seed"),
        (Server.OPENAI, {"grammar": "root ::= x"}, "grammar"),
        (Server.OPENAI, {"json_schema": OPEN_SCHEMA}, "json_schema"),
        (VLLM, {"draft": {"n_max": 4}}, "draft"),
    ],
)
def test_what_a_server_would_drop_is_refused_by_name(server, controls, named):
    with pytest.raises(UnsupportedControl, match=f"one does not do “{named}” with up") as raised:
        controlled(server, **controls)
    assert raised.value.control == named
    assert isinstance(raised.value, BadRequest)
    assert raised.value.may_switch


@pytest.mark.parametrize(
    ("capability", "request_"),
    [
        (Capability.TOOLS, {"tools": ({"type": "function"},)}),
        (Capability.LOGPROBS, {"controls": Controls(logprobs=True)}),
        (Capability.LOGIT_BIAS, {"controls": Controls(logit_bias={"1": 1})}),
        (Capability.REASONING, {"controls": Controls(reasoning_effort="low")}),
        (Capability.PREDICTION, {"controls": Controls(prediction="x")}),
    ],
)
def test_what_the_test_did_not_find_is_refused_and_what_is_untried_is_tried(capability, request_):
    assert len(sent(at(can=frozenset()), **request_)) > 1
    with pytest.raises(UnsupportedControl):
        sent(at(can=frozenset(), lacks=frozenset({capability})), **request_)


def test_two_forms_at_once_are_none():
    with pytest.raises(BadRequest, match="Only one of choices, regex"):
        controlled("", choices=("a",), regex="a")


def test_unknown_fields_go_along_and_known_ones_win():
    route = at(extra_body={"safe": True, "temperature": 9, "chat_template_kwargs": {"a": 1}})
    extra = {"safe": False, "user": "u", "model": "other", "stream": False, "top_p": 0.1}
    extra["chat_template_kwargs"] = {"b": 2}
    request = ChatRequest("m", (), temperature=0.5, extra=extra, controls=Controls(top_p=0.9))
    payload = chat_payload(route, request, frozenset())
    assert (payload["safe"], payload["user"]) == (True, "u")
    assert (payload["model"], payload["stream"]) == ("up", True)
    assert (payload["temperature"], payload["top_p"]) == (0.5, 0.9)
    assert payload["chat_template_kwargs"] == {"a": 1}


def test_several_answers_come_as_chunks_only():
    assert sent(at(), wants_chunks=True, extra={"n": 2})["n"] == 2
    with pytest.raises(UnsupportedControl, match="“n”"):
        sent(at(), extra={"n": 2})


def test_tools_and_raw_messages_go_as_they_are():
    tool = {"type": "function", "function": {"name": "f"}, "cache_control": {"type": "x"}}
    message = {"role": "tool", "tool_call_id": "1", "content": "7"}
    payload = sent(at(), messages=(message,), tools=(tool,), tool_choice="required")
    assert payload == {"messages": [message], "tools": [tool], "tool_choice": "required"}


@pytest.mark.parametrize(
    ("server", "mark", "fields"),
    [
        (VLLM, {}, {"continue_final_message": True, "add_generation_prompt": False}),
        (LLAMA, {}, {"chat_template_kwargs": {"enable_thinking": False}}),
        (Server.MISTRAL, {"prefix": True}, {}),
        (Server.DEEPSEEK, {"prefix": True}, {}),
        ("", {}, {}),
    ],
)
def test_a_beginning_is_an_unfinished_message_where_it_can_be(server, mark, fields):
    payload = sent(at(server), continues="Once upon")
    assert payload.pop("messages")[-1] == {"role": "assistant", "content": "Once upon"} | mark
    assert payload == fields


def test_elsewhere_going_on_is_asked_for():
    *_, begun, asked = sent(at(can=frozenset()), continues="Once upon a time")["messages"]
    assert begun == {"role": "assistant", "content": "Once upon a time"}
    assert asked["role"] == "user"
    assert asked["content"].endswith("Once upon a time")


def test_an_answer_with_a_form_cannot_be_continued():
    with pytest.raises(UnsupportedControl, match="cannot be continued"):
        sent(at(VLLM), continues="{", controls=Controls(json_schema=SCHEMA))


def test_a_full_context_that_names_a_parameter_is_no_quirk():
    words = "max_tokens is too large: this model's maximum context length is 10 tokens"
    assert quirk_behind(ContextOverflow(words), {"max_tokens": 9}) is None
    assert quirk_behind(BadRequest("max_tokens"), {"max_tokens": 9}) is Quirk.COMPLETION_TOKENS


def test_hosts_that_everybody_knows_need_no_test():
    route = Route("m", "up", "one", "https://api.openai.com/v1")
    assert server_of(route) is Server.OPENAI
    assert server_of(at("vllm")) is Server.VLLM
    assert server_of(at("something new")) is Server.UNKNOWN


def test_what_openai_takes_as_strict():
    assert is_strict(SCHEMA)
    assert is_strict({"type": "array", "items": SCHEMA})
    assert not is_strict(OPEN_SCHEMA)
    assert not is_strict({"anyOf": [SCHEMA, OPEN_SCHEMA]})
