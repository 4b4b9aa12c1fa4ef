"""What a model says: chunks, whole answers, vectors, scores."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from typing import Any

from tests.support.model_server.scripts import Script, answer_text


def asks_for_title(body: dict[str, Any]) -> bool:
    first = (body.get("messages") or [{}])[0]
    return str(first.get("content")).startswith("You write the title")


def shared_words(query: str, document: str) -> float:
    asked = set(query.lower().split())
    return len(asked & set(document.lower().split())) / len(asked)


def text_vector(text: str, size: int = 384) -> list[float]:
    """A unit vector that is a function of the text alone."""
    raw = hashlib.shake_128(str(text).encode()).digest(size * 2)
    vector = [(x - 32768) / 32768 for x in struct.unpack(f"<{size}H", raw)]
    norm = sum(x * x for x in vector) ** 0.5
    return [x / norm for x in vector]


def event_bytes(script: Script, value: dict[str, Any]) -> bytes:
    text = json.dumps(value, ensure_ascii=False)
    comment = f": keep-alive{script.newline}{script.newline}" if script.comments else ""
    return f"{comment}data: {text}{script.newline}{script.newline}".encode()


def chunk_of(script: Script, body: dict[str, Any], **parts: Any) -> bytes:
    value = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1}
    return event_bytes(script, value | {"model": body.get("model", "")} | parts)


def choices_of(delta: dict[str, Any], finish: str | None = None) -> list[dict[str, Any]]:
    return [{"index": 0, "delta": delta, "finish_reason": finish}]


def delta_events(script: Script, body: dict[str, Any]) -> Iterator[bytes]:
    first = chunk_of(script, body, choices=choices_of({"role": "assistant", "content": ""}))
    padding = event_bytes(script, {"choices": [], "padding": "x" * script.padding})
    yield (b"\xef\xbb\xbf" if script.bom else b"") + (padding if script.padding else b"") + first
    for name, text in ((script.reasoning_field, script.reasoning), ("content", "")):
        whole = text or (answer_text(script, body) if name == "content" else "")
        for start in range(0, len(whole), script.token_size):
            piece = whole[start : start + script.token_size]
            yield chunk_of(script, body, choices=choices_of({name: piece}))
    for number, call in enumerate(tool_calls(script, body)):
        yield chunk_of(script, body, choices=choices_of({"tool_calls": [{"index": number} | call]}))


def tool_calls(script: Script, body: dict[str, Any]) -> list[dict[str, Any]]:
    """With ids that no other answer of the same conversation has."""
    before = sum(message.get("role") == "tool" for message in body.get("messages") or [])
    return [
        {
            "id": f"call_{before + number}",
            "type": "function",
            "function": {
                "name": name,
                "arguments": given if isinstance(given, str) else json.dumps(given),
            },
        }
        for number, (name, given) in enumerate(script.calls)
    ]


def closing_events(script: Script, body: dict[str, Any]) -> Iterator[bytes]:
    if script.finish_reason is not None:
        yield chunk_of(script, body, choices=choices_of({}, script.finish_reason))
    if script.usage is not None and (body.get("stream_options") or {}).get("include_usage"):
        yield chunk_of(script, body, choices=[], usage=script.usage)
    if script.done:
        yield f"data: [DONE]{script.newline}{script.newline}".encode()


def whole_completion(script: Script, body: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": answer_text(script, body)}
    if script.reasoning:
        message[script.reasoning_field] = script.reasoning
    if script.calls:
        message["tool_calls"] = tool_calls(script, body)
    choice = {"index": 0, "message": message, "finish_reason": script.finish_reason}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": body.get("model", ""),
        "choices": [choice],
        "usage": script.usage,
    }
