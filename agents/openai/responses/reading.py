"""The body of a response as that of a chat completion.

Nothing is stored here, so `store` counts as false and what refers to something stored is refused.
"""

from collections.abc import Callable
from typing import Any

from agents.openai import fields
from agents.openai.callers import Body
from agents.openai.errors import invalid, unsupported

Message = dict[str, Any]
STORED = "Responses are not stored here: send the whole conversation as `input`."
REFUSED = {
    "previous_response_id": STORED,
    "conversation": STORED,
    "prompt": "Prompts are not stored here: send `instructions` and `input`.",
    "background": "Ask with `stream`, or in a conversation of /api/v1, which goes on by itself.",
    "max_tool_calls": "Tools are called by the caller.",
}
# Said of the response as a whole; they have no place in a chat completion.
OWN = {
    "input", "instructions", "tools", "tool_choice", "text", "reasoning", "max_output_tokens",
    "include", "truncation", "store", "metadata", "stream_options", "top_logprobs", *REFUSED,
}  # fmt: skip
LOGPROBS = "message.output_text.logprobs"


def chat_body(body: Body) -> Body:
    """The fields but for the messages; raises ApiError for what cannot be done here."""
    for name, reason in REFUSED.items():
        if body.get(name):
            raise unsupported(name, reason)
    chat = {name: value for name, value in body.items() if name not in OWN}
    chat["max_completion_tokens"] = body.get("max_output_tokens")
    chat["reasoning_effort"] = fields.options(body, "reasoning").get("effort")
    if tools := _tools(body):
        chat |= {"tools": tools, "tool_choice": _tool_choice(body)}
    if form := _form(fields.options(body, "text")):
        chat["response_format"] = form
    include = body.get("include") or []
    if body.get("top_logprobs") or (isinstance(include, list) and LOGPROBS in include):
        chat |= {"logprobs": True, "top_logprobs": body.get("top_logprobs")}
    return chat


def messages_of(body: Body) -> list[Message]:
    """Instructions first, then the items of the input."""
    messages: list[Message] = []
    instructions = body.get("instructions")
    if instructions is not None and not isinstance(instructions, str):
        raise fields.wrong_type("instructions", "a string", instructions)
    if instructions:
        messages.append({"role": "system", "content": instructions})
    given = body.get("input")
    if isinstance(given, str):
        return [*messages, {"role": "user", "content": given}]
    if not isinstance(given, list) or not given:
        code = "missing_required_parameter"
        raise invalid("Send `input`: a string or an array of items.", "input", code)
    for n, item in enumerate(given):
        if not isinstance(item, dict):
            raise fields.wrong_type(f"input[{n}]", "an object", item)
        _read(messages, item, f"input[{n}]")
    return messages


def _read(messages: list[Message], item: Body, place: str) -> None:
    kind = item.get("type", "message")
    read = _ITEMS.get(kind) if isinstance(kind, str) else None
    if read is None:
        reason = STORED if kind == "item_reference" else "Items of this type are not read here."
        raise unsupported(f"{place}.type", reason)
    read(messages, item, place)


def _message(messages: list[Message], item: Body, place: str) -> None:
    role = item.get("role")
    if not isinstance(role, str):
        raise invalid(f"Missing required parameter: '{place}.role'.", f"{place}.role")
    messages.append({"role": role, "content": _content(item.get("content"), place)})


def _call(messages: list[Message], item: Body, place: str) -> None:
    """Calls that follow each other belong to one message, with the words before them."""
    function = {"name": item.get("name"), "arguments": item.get("arguments")}
    called = {"id": item.get("call_id"), "type": "function", "function": function}
    if not all(isinstance(value, str) for value in (called["id"], *function.values())):
        raise invalid("A function call has `call_id`, `name` and `arguments`.", place)
    if not messages or messages[-1]["role"] != "assistant":
        messages.append({"role": "assistant", "content": None})
    messages[-1].setdefault("tool_calls", []).append(called)


def _call_output(messages: list[Message], item: Body, place: str) -> None:
    output = _content(item.get("output"), place)
    messages.append({"role": "tool", "tool_call_id": item.get("call_id"), "content": output})


def _thought(messages: list[Message], item: Body, place: str) -> None:
    """What a model thought is not said to it again."""


_ITEMS: dict[str, Callable[[list[Message], Body, str], None]] = {
    "message": _message,
    "function_call": _call,
    "function_call_output": _call_output,
    "reasoning": _thought,
}


def _content(content: Any, place: str) -> str | list[Message]:
    """Text alone as a plain text, which every server reads; parts only where there is more."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        raise fields.wrong_type(f"{place}.content", "a string or an array of parts", content)
    parts = [_part(part, f"{place}.content[{n}]") for n, part in enumerate(content)]
    if all(part["type"] == "text" for part in parts):
        return "\n".join(part["text"] for part in parts)
    return parts


def _part(part: Any, place: str) -> Message:
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in ("input_text", "output_text", "text", "refusal"):
        text = part.get("text", part.get("refusal"))
        if isinstance(text, str):
            return {"type": "text", "text": text}
    if kind == "input_image" and isinstance(part.get("image_url"), str):
        detail = {"detail": part["detail"]} if part.get("detail") else {}
        return {"type": "image_url", "image_url": {"url": part["image_url"]} | detail}
    if kind == "input_file" and isinstance(part.get("file_data"), str):
        names = {name: part[name] for name in ("filename", "file_data") if part.get(name)}
        return {"type": "file", "file": names}
    raise unsupported(place, "Send text, images as `image_url` and files as `file_data`.")


def _tools(body: Body) -> list[Message]:
    given = body.get("tools") or []
    if not isinstance(given, list):
        raise fields.wrong_type("tools", "an array of objects", given)
    tools = []
    for n, tool in enumerate(given):
        if not isinstance(tool, dict) or tool.get("type") != "function":
            raise unsupported(f"tools[{n}]", "Only functions, which the caller runs, work here.")
        names = ("name", "description", "parameters", "strict")
        function = {name: tool[name] for name in names if tool.get(name) is not None}
        tools.append({"type": "function", "function": function})
    return tools


def _tool_choice(body: Body) -> Any:
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") == "function":
        return {"type": "function", "function": {"name": choice.get("name")}}
    if choice is not None and choice not in ("auto", "none", "required"):
        raise unsupported("tool_choice", "Send auto, none, required or the name of a function.")
    return choice


def _form(text: Any) -> Message | None:
    wanted = fields.options(dict(text), "format")
    match wanted.get("type"):
        case None | "text":
            return None
        case "json_schema":
            named = {key: value for key, value in wanted.items() if key != "type"}
            return {"type": "json_schema", "json_schema": named}
    return dict(wanted)
