"""The installation's rules for programs that ask a model by its name.

What they say is input, what their tools said a result, what comes back is output. Their tools are
theirs: calls are told as the model made them, with the placeholders that it knows.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from agents.guardrails import sent
from agents.guardrails.answering import STOPPED, Blocked, Filter
from agents.guardrails.asking import Asking
from agents.guardrails.guard import Guard
from agents.guardrails.ruleset import installed
from agents.guardrails.sent import QuestionBlocked
from agents.guardrails.types import Place
from agents.guardrails.vault import Vault
from gateway.chat import stream_chat
from gateway.labels import Demand
from gateway.routing.routes import find_routes
from gateway.types import ChatRequest, PromptMessage
from security.sentences import Sentence, together

Payload = dict[str, Any]
Chunks = AsyncGenerator[Payload, None]
TOLD = frozenset({"index", "delta", "finish_reason"})  # of a choice, where rules see its words
CALLS = ("role", "tool_calls", "function_call")
WORDS = ("content", "refusal", "reasoning_content", "reasoning")  # of a delta


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
    """The request as a model may read it, with what it says of the program's tools, of the form
    that it wants, and in fields that only some servers know; raises QuestionBlocked."""
    messages = [await _message(guard, one) for one in request.messages]
    tools = await sent.field(guard, "", list(request.tools), Place.INPUT, None, is_free=True)
    return replace(
        request,
        messages=tuple(messages),
        tools=tuple(tools),
        controls=await sent.controls(guard, request.controls),
        extra=await sent.unknown(guard, request.extra),
    )


async def _message(guard: Guard, message: Any) -> Any:
    if isinstance(message, PromptMessage):
        place = _place(message.role)
        rules = guard.of_answers() if message.role == "assistant" else None
        return replace(message, content=await sent.hidden(guard, message.content, place, rules))
    role = message.get("role")
    rules = guard.of_answers() if role == "assistant" else None
    return {name: await sent.field(guard, name, value, _place(role), rules)
            for name, value in message.items()}  # fmt: skip


def _place(role: Any) -> Place:
    return Place.TOOL_RESULT if role in {"tool", "function"} else Place.INPUT


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
    if guard.at(Place.OUTPUT):
        _bare(choice)
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


def _bare(choice: Payload) -> None:
    """Without what would tell the words before rules have seen them, or in another form: their
    probabilities, their tokens, fields that only some servers know."""
    for name in choice.keys() - TOLD:
        del choice[name]
    delta = choice.get("delta") or {}
    choice["logprobs"] = None
    choice["delta"] = {name: delta[name] for name in CALLS if name in delta} | {
        name: delta[name] for name in WORDS if isinstance(delta.get(name), str)
    }
