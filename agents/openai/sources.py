"""An answer as chunks of the protocol, whoever gives it; the last one may tell the usage.

Every chunk has our id and the name that was asked for, or that of the cheaper model which a budget
named instead. The generators hold no database connection; closing one stops the call upstream at
once.
"""

import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict, replace
from typing import Any

from agents.guardrails.guard import Guard
from agents.guardrails.programs import asked, guard_of, shown
from agents.guardrails.sent import QuestionBlocked
from agents.openai.catalogue import ChatModel
from agents.openai.errors import held_back, not_served
from agents.reuse.programs import CacheUse, stream_again
from gateway.labels import labels_of, require_labels
from gateway.routing.routes import find_routes
from gateway.types import (
    OFFLINE,
    ChatRequest,
    Chunk,
    Completed,
    EndpointSwitched,
    ReasoningDelta,
    Route,
    TextDelta,
    TokenUsage,
    ToolCalls,
)

Payload = dict[str, Any]
Chunks = AsyncGenerator[Payload, None]


def new_id(prefix: str) -> str:
    return f"{prefix}{secrets.token_hex(16)}"


class Chunker:
    """Makes chunks of one answer: the first of a role, each with the same id, time and name."""

    def __init__(self, model: str) -> None:
        self.head = {
            "id": new_id("chatcmpl-"),
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": model,
        }
        self._has_begun = False

    def delta(self, **delta: Any) -> Payload:
        if not self._has_begun:
            self._has_begun = True
            delta = {"role": "assistant"} | delta
        return self._chunk(delta, None)

    def end(self, finish_reason: str, **delta: Any) -> Payload:
        if not self._has_begun:
            delta = {"role": "assistant", "content": ""} | delta
        return self._chunk(delta, finish_reason)

    def usage(self, usage: Payload) -> Payload:
        return {**self.head, "choices": [], "usage": usage}

    def _chunk(self, delta: Payload, finish_reason: str | None) -> Payload:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return {**self.head, "choices": [choice]}


async def of_model(request: ChatRequest, model: ChatModel, use: CacheUse) -> Chunks:
    """The endpoint's chunks with all their fields; raises GatewayError.

    A program that asks for a model wants that model: nothing is quoted from documents instead.
    """
    routes = await find_routes(model.name)
    if not routes or model.name not in (routes[0].model, routes[0].alias):
        raise not_served(model.name)
    require_labels(routes, model.demands)
    request = replace(request, required_labels=labels_of(model.demands))
    guard = await _guard(request, model)
    if guard is None:
        chunks = _chunks(request, model, use, routes)
    else:
        chunks = shown(guard, _chunks(await _asked(guard, request), model, use, routes))
    async with aclosing(chunks) as payloads:
        async for payload in payloads:
            yield payload


async def _guard(request: ChatRequest, model: ChatModel) -> Guard | None:
    try:
        return await guard_of(request, model.demands)
    except QuestionBlocked as blocked:
        raise held_back(str(blocked)) from None


async def _asked(guard: Guard, request: ChatRequest) -> ChatRequest:
    try:
        return await asked(guard, request)
    except QuestionBlocked as blocked:
        raise held_back(str(blocked)) from None


async def _chunks(
    request: ChatRequest, model: ChatModel, use: CacheUse, routes: Sequence[Route]
) -> Chunks:
    chunker = Chunker(model.name)
    has_ended = False
    usage: Payload | None = None
    async with aclosing(stream_again(request, routes, use)) as items:
        async for item in items:
            match item:
                case Chunk(payload):
                    usage = payload.pop("usage", None) or usage
                    choices = payload.get("choices") or []
                    has_ended |= any(choice.get("finish_reason") for choice in choices)
                    if choices or payload.keys() - _EVERYWHERE:
                        yield payload | chunker.head
                case TextDelta(text):
                    yield chunker.delta(content=text)
                case ReasoningDelta(text):
                    yield chunker.delta(reasoning_content=text)
                case ToolCalls():
                    yield chunker.delta(tool_calls=_calls(item))
                case EndpointSwitched(switched_to=to) if to == OFFLINE:
                    raise not_served(model.name)
                case EndpointSwitched(model=cheaper) if cheaper:
                    chunker.head["model"] = cheaper
                case Completed(reason):
                    if not has_ended:
                        yield chunker.end(reason)
                    of_all = usage_object(item.usage) or {} if item.attempts > 1 else {}
                    if told := (usage or usage_object(item.usage) or {}) | of_all:
                        yield chunker.usage(told)


_EVERYWHERE = {"id", "object", "created", "model", "choices", "system_fingerprint"}


def _calls(item: ToolCalls) -> list[Payload]:
    return [
        {
            "index": n,
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for n, call in enumerate(item.calls)
    ]


def usage_object(usage: TokenUsage) -> Payload | None:
    """As OpenAI tells it; None where the server told nothing."""
    if usage.prompt_tokens is None and usage.completion_tokens is None:
        return None
    counts = {name: count or 0 for name, count in asdict(usage).items()}
    return {
        "prompt_tokens": counts["prompt_tokens"],
        "completion_tokens": counts["completion_tokens"],
        "total_tokens": counts["prompt_tokens"] + counts["completion_tokens"],
        "prompt_tokens_details": {"cached_tokens": counts["cached_tokens"]},
        "completion_tokens_details": {
            "reasoning_tokens": counts["reasoning_tokens"],
            "accepted_prediction_tokens": counts["accepted_prediction_tokens"],
            "rejected_prediction_tokens": counts["rejected_prediction_tokens"],
        },
    }
