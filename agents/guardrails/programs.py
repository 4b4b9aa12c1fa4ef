"""The installation's rules for programs that ask a model by its name.

What they say is input, what their tools said a result, what comes back is output. Their tools are
theirs: calls are told as the model made them, with the placeholders that it knows.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from agents.guardrails.answering import STOPPED, Blocked, Filter
from agents.guardrails.asking import Asking
from agents.guardrails.guard import Guard
from agents.guardrails.ruleset import installed
from agents.guardrails.types import Place
from agents.guardrails.vault import Vault
from gateway.chat import stream_chat
from gateway.labels import Demand
from gateway.routing.routes import find_routes
from gateway.types import ChatRequest, PromptMessage
from security.sentences import Sentence, together

Payload = dict[str, Any]
Chunks = AsyncGenerator[Payload, None]
WORDS = ("content", "refusal", "reasoning_content", "reasoning")  # of a delta


class QuestionBlocked(Exception):
    """A rule keeps it from every model; the text says which and why."""


async def guard_of(request: ChatRequest, demands: Sequence[Demand]) -> Guard | None:
    """None where there are no rules; raises QuestionBlocked for those that nobody can read."""
    try:
        rules = await installed()
    except ValidationError:
        raise QuestionBlocked(Sentence("guardrail_unreadable")) from None
    if not rules:
        return None
    payer = replace(request.payer, purpose="guardrail")
    asking = Asking(None, payer, tuple(demands), stream_chat, find_routes)
    return Guard(rules, asking, Vault(str(request.account_id)), ())


async def asked(guard: Guard, request: ChatRequest) -> ChatRequest:
    """The request as a model may read it; raises QuestionBlocked."""
    messages = [await _message(guard, one) for one in request.messages]
    return replace(request, messages=tuple(messages))


async def _message(guard: Guard, message: Any) -> Any:
    if isinstance(message, PromptMessage):
        return replace(message, content=await _hidden(guard, message.content, Place.INPUT))
    place = Place.TOOL_RESULT if message.get("role") in {"tool", "function"} else Place.INPUT
    content = message.get("content")
    if isinstance(content, str):
        return {**message, "content": await _hidden(guard, content, place)}
    if isinstance(content, list):
        return {**message, "content": [await _part(guard, part, place) for part in content]}
    return message


async def _part(guard: Guard, part: Any, place: Place) -> Any:
    if isinstance(part, Mapping) and isinstance(part.get("text"), str):
        return {**part, "text": await _hidden(guard, part["text"], place)}
    return part


async def _hidden(guard: Guard, text: str, place: Place) -> str:
    looked = await guard.hidden(text, place)
    if looked.blocked:
        raise QuestionBlocked(looked.blocked)
    return looked.text


async def shown(guard: Guard, chunks: Chunks) -> Chunks:
    """The same chunks of the protocol with words as they may be shown; what is held back comes
    before the end of its choice."""
    filters: dict[tuple[int, str], Filter] = {}
    async with aclosing(chunks):
        async for payload in chunks:
            for choice in payload.get("choices") or ():
                try:
                    await _filter(guard, filters, choice)
                except Blocked as blocked:
                    choice["delta"] = {"content": blocked.text, "notice": blocked.said}
                    choice["finish_reason"] = STOPPED
                    yield payload | {"choices": [choice]}
                    return
            yield payload


async def _filter(guard: Guard, filters: dict[tuple[int, str], Filter], choice: Payload) -> None:
    """Raises Blocked."""
    index, delta = choice.get("index", 0), choice.get("delta") or {}
    for name in WORDS:
        if isinstance(delta.get(name), str):
            key = (index, name)
            filters[key] = filters.get(key) or Filter(guard)
            delta[name] = await filters[key].feed(delta[name])
    if not choice.get("finish_reason"):
        return
    for (n, name), one in filters.items():
        if n == index and (rest := await one.close()):
            delta[name] = (delta.get(name) or "") + rest
        if n == index:
            one.tell()
    if notice := together(guard.notices):
        delta["notice"] = notice
    choice["delta"] = delta
