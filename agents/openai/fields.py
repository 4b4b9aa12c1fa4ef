"""The body of a chat completion as a ChatRequest: typed where Parley knows a field, else as it is.

What is typed can be emulated or refused by the gateway where an endpoint cannot do it; what is not
known here goes upstream untouched.
"""

from collections.abc import Mapping
from math import isfinite
from typing import Any

from agents.openai.callers import Body
from agents.openai.errors import ApiError, invalid
from gateway.controls import Controls
from gateway.types import ChatRequest

# Ours: about the answer's way to the client, not about the answer.
OURS = frozenset({"model", "messages", "stream", "stream_options"})
NUMBERS = {
    "top_p": float, "top_k": int, "min_p": float, "presence_penalty": float,
    "frequency_penalty": float, "repetition_penalty": float, "seed": int, "top_logprobs": int,
}  # fmt: skip
# The form of the answer by the names that servers have for it.
FORMS = {
    "guided_choice": "choices", "guided_json": "json_schema", "guided_regex": "regex",
    "guided_grammar": "grammar", "grammar": "grammar",
}  # fmt: skip
LONGEST_WORD, MOST_BIAS = 100, 100
LARGEST = 2**53  # beyond it JSON numbers are not whole any more everywhere
TYPE_NAMES = {
    bool: "a boolean", int: "an integer", float: "a decimal", str: "a string", list: "an array",
    dict: "an object", type(None): "null",
}  # fmt: skip


def chat_request(
    body: Body, model: str, messages: list[dict[str, Any]], **more: Any
) -> ChatRequest:
    """What the gateway is asked; `more` are fields of the ChatRequest. Raises ApiError."""
    rest = {name: value for name, value in body.items() if name not in OURS and value is not None}
    limit = _number(rest, "max_completion_tokens", int)
    old_limit = _number(rest, "max_tokens", int)
    return ChatRequest(
        model=model,
        messages=tuple(messages),
        temperature=_number(rest, "temperature", float),
        max_tokens=old_limit if limit is None else limit,
        tools=_objects(rest, "tools"),
        tool_choice=_tool_choice(rest),
        controls=_controls(rest),
        extra=rest,
        wants_chunks=True,
        **more,
    )


def messages_of(body: Body) -> list[dict[str, Any]]:
    """The messages, each an object with a role; what they say is for the endpoint to judge."""
    messages = body.get("messages")
    if messages is None:
        code = "missing_required_parameter"
        raise invalid("Missing required parameter: 'messages'.", "messages", code)
    if not isinstance(messages, list):
        raise wrong_type("messages", "an array of objects", messages)
    if not messages:
        message = "Invalid 'messages': empty array. Expected an array with minimum length 1."
        raise invalid(message, "messages", "empty_array")
    for n, message in enumerate(messages):
        if not isinstance(message, dict):
            raise wrong_type(f"messages[{n}]", "an object", message)
        if not isinstance(message.get("role"), str):
            place = f"messages[{n}].role"
            raise invalid(f"Missing required parameter: '{place}'.", place)
    return messages


def flag(body: Body, name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise wrong_type(name, "a boolean", value)
    return bool(value)


def options(body: Body, name: str) -> Mapping[str, Any]:
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise wrong_type(name, "an object", value)
    return value or {}


def wants_usage(body: Body) -> bool:
    return bool(options(body, "stream_options").get("include_usage"))


def wrong_type(place: str, expected: str, value: object) -> ApiError:
    got = TYPE_NAMES.get(type(value), "something else")
    message = f"Invalid type for '{place}': expected {expected}, but got {got} instead."
    return invalid(message, place, "invalid_type")


def _controls(rest: Body) -> Controls:
    """Takes out of `rest` what Controls can say."""
    found: dict[str, Any] = {name: _number(rest, name, kind) for name, kind in NUMBERS.items()}
    found["logprobs"] = flag(rest, "logprobs")
    rest.pop("logprobs", None)
    found["stop"] = _texts(rest, "stop")
    found["logit_bias"] = dict(options(rest, "logit_bias"))
    found["draft"] = dict(options(rest, "draft"))
    for taken in ("logit_bias", "draft"):
        rest.pop(taken, None)
    found["word_bias"] = _word_bias(rest)
    if not isinstance(rest.get("lora", ""), str):
        raise wrong_type("lora", "a string", rest["lora"])
    for name in ("lora", "reasoning_effort"):
        if isinstance(rest.get(name), str):
            found[name] = rest.pop(name)
    return Controls(**found, **_prediction(rest), **_form(rest))


def _form(rest: Body) -> dict[str, Any]:
    """What the answer has to look like, by whichever name: at most one of them."""
    _name_alike(rest)
    forms = [_schema(rest)]
    for theirs, ours in FORMS.items():
        value = rest.get(theirs)
        if ours == "choices":
            forms.append({ours: _texts(rest, theirs)})
        elif isinstance(value, dict if ours == "json_schema" else str):
            forms.append({ours: rest.pop(theirs)})
    wanted = [form for form in forms if any(value not in ("", ()) for value in form.values())]
    if len(wanted) > 1:
        message = (
            "Only one of response_format, structured_outputs, guided_… and grammar may be set."
        )
        raise invalid(message, "response_format")
    return wanted[0] if wanted else {}


def _name_alike(rest: Body) -> None:
    """vLLM's newer name for the same."""
    wanted = rest.get("structured_outputs")
    if (
        isinstance(wanted, dict)
        and wanted
        and wanted.keys() <= {"choice", "json", "regex", "grammar"}
    ):
        del rest["structured_outputs"]
        rest |= {f"guided_{kind}": value for kind, value in wanted.items()}


def _word_bias(rest: Body) -> dict[str, float]:
    """Words to a number from -100 to 100; the gateway finds their tokens."""
    given = options(rest, "word_bias")
    rest.pop("word_bias", None)
    found = {}
    for word, bias in given.items():
        is_number = isinstance(bias, int | float) and not isinstance(bias, bool)
        if not is_number or not abs(bias) <= MOST_BIAS:
            raise invalid(f"A bias is a number from -{MOST_BIAS} to {MOST_BIAS}.", "word_bias")
        if not word.strip() or len(word) > LONGEST_WORD:
            raise invalid(f"A word has 1 to {LONGEST_WORD} characters.", "word_bias")
        found[word] = float(bias)
    return found


def _schema(rest: Body) -> dict[str, Any]:
    """The JSON Schema of `response_format`; its other kinds go on as they are."""
    wanted = options(rest, "response_format")
    if wanted.get("type") != "json_schema":
        return {}
    schema = options(dict(wanted), "json_schema").get("schema")
    if not isinstance(schema, dict):
        raise wrong_type("response_format.json_schema.schema", "an object", schema)
    del rest["response_format"]
    return {"json_schema": schema}


def _prediction(rest: Body) -> dict[str, Any]:
    content = options(rest, "prediction").get("content")
    if not isinstance(content, str):
        return {}
    del rest["prediction"]
    return {"prediction": content}


def _number(rest: Body, name: str, kind: type) -> Any:
    value = rest.pop(name, None)
    if value is None:
        return None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not isfinite(value) or (kind is int and value != int(value)):
        raise wrong_type(name, TYPE_NAMES[kind], value)
    if kind is int and abs(value) > LARGEST:
        message = f"Invalid '{name}': integer out of range. Expected at most {LARGEST} either way."
        raise invalid(
            message, name, "integer_above_max_value" if value > 0 else "integer_below_min_value"
        )
    return kind(value)


def _texts(rest: Body, name: str) -> tuple[str, ...]:
    value = rest.pop(name, None)
    if value is None or isinstance(value, str):
        return (value,) if value else ()
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise wrong_type(name, "a string or an array of strings", value)
    return tuple(value)


def _objects(rest: Body, name: str) -> tuple[dict[str, Any], ...]:
    value = rest.pop(name, None)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise wrong_type(name, "an array of objects", value)
    return tuple(value)


def _tool_choice(rest: Body) -> Any:
    value = rest.pop("tool_choice", None)
    if value is not None and not isinstance(value, str | dict):
        raise wrong_type("tool_choice", "a string or an object", value)
    return value


def whole_number(body: Body, name: str) -> int | None:
    found: int | None = _number({name: body.get(name)}, name, int)
    return found
