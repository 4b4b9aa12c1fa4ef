"""The request body, and what to leave out for servers that refuse parts of it.

Servers speak dialects of one protocol: newer OpenAI models want `max_completion_tokens` and no
temperature, older servers do not know `stream_options`. A refusal names the parameter, so the
request is sent once more without it and the quirk is remembered for this model.
"""

import base64
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Any

from gateway.controls import Capability
from gateway.errors import BadRequest, GatewayError
from gateway.types import AS_IT_IS, ChatRequest, PromptImage, PromptMessage, RawMessage, Route
from gateway.upstream.continuation import continuation
from gateway.upstream.decoding import NOTHING, Resolved, control_fields, demand, refusal
from gateway.upstream.prompt_caching import cache_fields, mark_stable
from security.sentences import Sentence


class Quirk(Enum):
    COMPLETION_TOKENS = "max_tokens"
    FIXED_TEMPERATURE = "temperature"
    NO_STREAM_OPTIONS = "stream_options"


def chat_payload(
    route: Route,
    request: ChatRequest,
    quirks: AbstractSet[Quirk],
    resolved: Resolved = NOTHING,
) -> dict[str, Any]:
    """The JSON body of a streamed chat completion; parameters that were not set are not sent.

    Unknown fields go along: the caller's `extra`, over it the deployment's `extra_body`, and what
    the request says in fields that we know counts most.
    """
    messages = [_told(message) for message in request.messages]
    mark_stable(route, request, messages)
    payload: dict[str, Any] = {
        "model": route.upstream_name,
        "messages": messages,
        "stream": True,
    }
    if Quirk.NO_STREAM_OPTIONS not in quirks:
        payload["stream_options"] = {"include_usage": True}
    if request.temperature is not None and Quirk.FIXED_TEMPERATURE not in quirks:
        payload["temperature"] = request.temperature
    if request.max_tokens is not None:
        is_new = Quirk.COMPLETION_TOKENS in quirks
        payload["max_completion_tokens" if is_new else "max_tokens"] = request.max_tokens
    if request.tools:
        demand(route, Capability.TOOLS, "tools")
        payload["tools"] = [dict(tool) for tool in request.tools]
    if request.tool_choice is not None:
        payload["tool_choice"] = request.tool_choice
    payload |= cache_fields(route, request)
    if request.continues:
        more, fields = continuation(route, request)
        messages += more
        payload |= fields
    if request.controls is not AS_IT_IS or resolved is not NOTHING:
        payload = merged(payload, control_fields(route, request.controls, resolved))
    if request.extra or route.extra_body:
        if not request.wants_chunks and request.extra.get("n", 1) != 1:
            raise refusal(route, "n", Sentence("chunks_only"))
        payload = merged({**request.extra, **route.extra_body}, payload)
    return payload


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Both; `over` counts more, and what is an object on both sides is merged as well."""
    both = {
        name: {**under[name], **value}
        for name, value in over.items()
        if isinstance(value, dict) and isinstance(under.get(name), dict)
    }
    return {**under, **over, **both}


def _told(message: PromptMessage | RawMessage) -> dict[str, Any]:
    """Text as a plain text, which every server reads; parts only where there are images."""
    if not isinstance(message, PromptMessage):
        return dict(message)
    content: str | list[dict[str, Any]] = message.content
    if message.images:
        content = [
            {"type": "text", "text": message.content},
            *({"type": "image_url", "image_url": {"url": data_url(i)}} for i in message.images),
        ]
    return {"role": message.role, "content": content}


def data_url(image: PromptImage) -> str:
    return f"data:{image.media_type};base64,{base64.b64encode(image.data).decode()}"


def quirk_behind(error: GatewayError, payload: dict[str, Any]) -> Quirk | None:
    """The parameter that a refusal is about, if leaving it out or renaming it can help."""
    if type(error) is not BadRequest:  # a full context names them too
        return None
    words = error.detail.lower()
    return next((q for q in Quirk if q.value in payload and q.value in words), None)


def request_headers(route: Route) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    if route.api_key:
        headers["Authorization"] = f"Bearer {route.api_key}"
    return headers
