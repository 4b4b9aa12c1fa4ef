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
from agents.guardrails.guard import Guard, Numbered
from agents.guardrails.rules import FindsParts
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
Rules = Sequence[Numbered] | None
# Of a message: what is no text for a model, and what somebody says in it.
NO_WORDS = frozenset(
    {
        "role", "type", "id", "tool_call_id", "image_url", "input_audio", "file", "audio",
        "video_url",
    }
)  # fmt: skip
# Of a tool: there a key may also be a name that the program chose, of a property for instance, and
# is a word of the protocol only where a string stands behind it.
KEYWORDS = frozenset({"type", "id", "$schema", "$id", "$ref"})
SAID = frozenset({"content", "text", "refusal", "reasoning_content", "reasoning"})
TOLD = frozenset({"index", "delta", "finish_reason"})  # of a choice, where rules see its words
CALLS = ("role", "tool_calls", "function_call")
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
    """The request as a model may read it, with what it says of the program's tools and in fields
    that only some servers know; raises QuestionBlocked."""
    messages = [await _message(guard, one) for one in request.messages]
    tools = await _field(guard, "tools", list(request.tools), Place.INPUT, None, is_free=True)
    extra = await _field(guard, "extra", request.extra, Place.INPUT, None, is_free=True)
    return replace(request, messages=tuple(messages), tools=tuple(tools), extra=extra)


async def _message(guard: Guard, message: Any) -> Any:
    if isinstance(message, PromptMessage):
        place = _place(message.role)
        rules = guard.of_answers() if message.role == "assistant" else None
        return replace(message, content=await _hidden(guard, message.content, place, rules))
    role = message.get("role")
    rules = guard.of_answers() if role == "assistant" else None
    return {name: await _field(guard, name, value, _place(role), rules)
            for name, value in message.items()}  # fmt: skip


def _place(role: Any) -> Place:
    return Place.TOOL_RESULT if role in {"tool", "function"} else Place.INPUT


async def _field(
    guard: Guard, name: str, value: Any, place: Place, rules: Rules, *, is_free: bool = False
) -> Any:
    """What is said as all rules see it; names, arguments and the like by those that find parts.
    With `is_free` keys may be names that the program chose."""
    if name in KEYWORDS and isinstance(value, str) if is_free else name in NO_WORDS:
        return value
    if isinstance(value, Mapping):
        return {
            key: await _field(guard, key, one, place, rules, is_free=is_free)
            for key, one in value.items()
        }
    if isinstance(value, list | tuple):
        name = name if name in SAID else ""
        return [await _field(guard, name, one, place, rules, is_free=is_free) for one in value]
    if not isinstance(value, str):
        return value
    if name not in SAID:
        given = guard.at(place) if rules is None else rules
        rules = [(n, rule) for n, rule in given if isinstance(rule, FindsParts)]
    return await _hidden(guard, value, place, rules)


async def _hidden(guard: Guard, text: str, place: Place, rules: Rules) -> str:
    looked = await guard.hidden(text, place, rules=rules)
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
