"""Answers of a demanded form from servers that cannot keep to one while they decode.

The form is asked for in words, the answer is checked, and one that does not fit is sent back once
with what is wrong. Such an answer is given as a whole, after it was found to fit. What cannot be
checked either (a grammar) is refused by `gateway.upstream.decoding`.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

from gateway.errors import InvalidAnswer
from gateway.types import (
    ChatRequest,
    Chunk,
    PromptMessage,
    RawMessage,
    ReasoningDelta,
    Route,
    TextDelta,
    TokenUsage,
    ToolCalls,
)
from gateway.upstream.call import open_call
from gateway.upstream.decoding import refusal
from gateway.upstream.forms import choice_in, choice_schema, form_of
from gateway.upstream.sse import Item
from gateway.upstream.structure import demanded_form, structure_fields
from security.sentences import Sentence

REPAIR = "This answer does not have the demanded form. {reason} Answer again, with nothing else."


class Answering(Protocol):
    """What an open answer is to its reader, native or emulated."""

    finish_reason: str

    @property
    def usage(self) -> TokenUsage: ...

    @property
    def length(self) -> int: ...  # characters of words and thoughts

    async def read(self) -> list[Item]: ...


@asynccontextmanager
async def open_answer(route: Route, request: ChatRequest) -> AsyncIterator[Answering]:
    """`open_call`, with the form of the answer emulated where the server cannot keep to it."""
    plan = plan_for(route, request)
    if plan is not None:
        yield EmulatedAnswer(route, request, plan)
        return
    async with open_call(route, request) as call:
        yield call


@dataclass(frozen=True, slots=True)
class Plan:
    """What is sent instead, and how the demanded answer is read out of what comes."""

    request: ChatRequest
    read: Callable[[str], str]


def plan_for(route: Route, request: ChatRequest) -> Plan | None:
    """None when the server does it itself, or when only a refusal is left; no I/O."""
    form = demanded_form(request.controls)
    if form in {"", "grammar"} or request.continues:
        return None
    if structure_fields(route, request.controls) is not None:
        return None
    if request.extra.get("n", 1) != 1:
        raise refusal(route, "n", Sentence("checked_once"))
    if request.wants_chunks and request.controls.logprobs:
        raise refusal(route, "logprobs", Sentence("checked_whole"))
    free = replace(request.controls, choices=(), json_schema=None, regex="")
    bare = replace(request, controls=free, wants_chunks=False)
    schema = choice_schema(request.controls.choices)
    by_schema = replace(free, json_schema=schema)
    if form == "choices" and structure_fields(route, by_schema) is not None:
        return Plan(replace(bare, controls=by_schema), choice_in)
    demanded = form_of(request.controls)
    return Plan(_instructed(bare, demanded.instruction), demanded.read)


class EmulatedAnswer:
    """Has the interface of `Call`; its one `read` waits for one or two whole answers."""

    def __init__(self, route: Route, request: ChatRequest, plan: Plan) -> None:
        self._route = route
        self._request = request
        self._plan = plan
        self._is_read = False
        self.usage = TokenUsage()  # of both answers
        self.length = 0
        self.finish_reason = ""

    async def read(self) -> list[Item]:
        if self._is_read:
            return []
        self._is_read = True
        items, text = await self._ask(self._plan.request)
        if not any(isinstance(item, ToolCalls) for item in items):
            items = [item for item in items if isinstance(item, ReasoningDelta)]
            items.append(TextDelta(await self._fitting(text)))
        return items if not self._request.wants_chunks else self._as_chunks(items)

    async def _fitting(self, text: str) -> str:
        try:
            return self._plan.read(text)
        except ValueError as error:
            self._refuse_cut()
            reason = str(error)
        _items, text = await self._ask(_repairing(self._plan.request, text, reason))
        try:
            return self._plan.read(text)
        except ValueError as error:
            self._refuse_cut()
            raise InvalidAnswer(str(error)) from error

    def _refuse_cut(self) -> None:
        if self.finish_reason == "length":
            raise InvalidAnswer(Sentence("cut_by_limit"))

    async def _ask(self, request: ChatRequest) -> tuple[list[Item], str]:
        items: list[Item] = []
        async with open_call(self._route, request) as call:
            while found := await call.read():
                items += found
            self.usage = _sum(self.usage, call.usage)
            self.length += call.length
            self.finish_reason = call.finish_reason
        return items, "".join(item.text for item in items if isinstance(item, TextDelta))

    def _as_chunks(self, items: list[Item]) -> list[Item]:
        """The protocol's chunks of an answer that did not come as such."""
        deltas = [delta for item in items if (delta := _delta(item))]
        deltas[0] = {"role": "assistant", **deltas[0]}
        choices: list[dict[str, Any]] = [
            {"index": 0, "delta": delta, "finish_reason": None} for delta in deltas
        ]
        choices.append({"index": 0, "delta": {}, "finish_reason": self.finish_reason})
        frame = {
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": self._route.model,
        }
        chunks = [
            Chunk({**frame, "choices": [choice]}, choice["delta"].get("content", ""))
            for choice in choices
        ]
        return [*chunks, Chunk({**frame, "choices": [], "usage": _usage_object(self.usage)})]


def _instructed(request: ChatRequest, instruction: str) -> ChatRequest:
    """The instruction stands at the end of the last question: every template takes it there."""
    messages = list(request.messages)
    for at in range(len(messages) - 1, -1, -1):
        message = messages[at]
        role = message.role if isinstance(message, PromptMessage) else message.get("role")
        if role == "user":
            messages[at] = _with_words(message, instruction)
            return replace(request, messages=tuple(messages))
    return replace(request, messages=(*messages, PromptMessage("user", instruction)))


def _with_words(message: PromptMessage | RawMessage, words: str) -> PromptMessage | RawMessage:
    if isinstance(message, PromptMessage):
        return replace(message, content=f"{message.content}\n\n{words}")
    content = message.get("content")
    if isinstance(content, list):
        return {**message, "content": [*content, {"type": "text", "text": words}]}
    return {**message, "content": f"{content}\n\n{words}"}


def _repairing(request: ChatRequest, text: str, reason: str) -> ChatRequest:
    answered = PromptMessage("assistant", text)
    asked = PromptMessage("user", REPAIR.format(reason=reason))
    return replace(request, messages=(*request.messages, answered, asked))


def _delta(item: Item) -> dict[str, Any]:
    match item:
        case TextDelta():
            return {"content": item.text}
        case ReasoningDelta():
            return {"reasoning_content": item.text}
        case ToolCalls():
            calls = [
                {
                    "index": number,
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for number, call in enumerate(item.calls)
            ]
            return {"tool_calls": calls}
        case _:
            return {}


def _sum(one: TokenUsage, other: TokenUsage) -> TokenUsage:
    def add(name: str) -> int | None:
        found = [n for usage in (one, other) if (n := getattr(usage, name)) is not None]
        return sum(found) if found else None

    return TokenUsage(**{field.name: add(field.name) for field in fields(TokenUsage)})


def _usage_object(usage: TokenUsage) -> dict[str, int]:
    prompt, completion = usage.prompt_tokens or 0, usage.completion_tokens or 0
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
