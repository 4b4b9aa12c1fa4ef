"""Answers of models to programs, given again to the same account: for those that ask for it.

Chunks are kept as the endpoint sent them, without thoughts. Calls of tools, several choices, what
somebody else answered than who was asked first (a cheaper model where a token's budget is short),
and what did not come to its own end are never kept.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Any

from agents.reuse.keys import is_simple, told, who_answers
from caching.cache import Cache, Hit
from caching.decorator import canonical
from gateway.chat import stream_chat
from gateway.types import (
    OFFLINE,
    ChatRequest,
    Chunk,
    Completed,
    Route,
    StreamItem,
    TextDelta,
    TokenUsage,
)

KEPT_SECONDS = 3600
THOUGHTS = frozenset({"reasoning", "reasoning_content"})

SAID: Cache[dict[str, Any]] = Cache(
    "answers.programs", ttl=KEPT_SECONDS, size=20_000, most_bytes=32 * 1024 * 1024, near=0,
    shares_errors=False,
)  # fmt: skip


@dataclass(slots=True)
class CacheUse:
    """What a program wishes ("use", "no", or nothing), and how it went: "hit", "miss" or ""."""

    wish: str = ""
    outcome: str = ""


async def stream_again(
    request: ChatRequest, routes: Sequence[Route], use: CacheUse
) -> AsyncGenerator[StreamItem, None]:
    """`stream_chat`, or what it gave to the same request of the same account within an hour."""
    if use.wish != "use" or not _may_reuse(request):
        async with aclosing(stream_chat(request)) as items:
            async for item in items:
                yield item
        return
    began = monotonic()
    key = _key(request, await who_answers(request, routes))
    found = await SAID.find(key, [f"person:{request.account_id}"])
    if isinstance(found, Hit):
        use.outcome = "hit"
        for item in _again(found.value, began):
            yield item
        return
    use.outcome = "miss"
    async with found as flight:
        said: list[Any] | None = []
        async with aclosing(stream_chat(request)) as items:
            async for item in items:
                if isinstance(item, Completed) and said and _is_whole(item):
                    await flight.keep({"said": said, "model": item.model})
                said = _noted(said, item)
                yield item


def _may_reuse(request: ChatRequest) -> bool:
    sent = (request.messages, request.extra, asdict(request.controls), request.tool_choice)
    return (
        not (request.tools or request.continues or request.extra.get("functions"))
        and request.extra.get("n", 1) == 1
        and request.account_id is not None
        and is_simple(sent)
    )


def _key(request: ChatRequest, who: Sequence[Any]) -> Any:
    return canonical([
        request.account_id, list(who), request.model,
        [told(message) for message in request.messages], request.temperature, request.max_tokens,
        asdict(request.controls), dict(request.extra), request.tool_choice,
        sorted(request.required_labels), request.wants_chunks,
    ])  # fmt: skip


def _noted(said: list[Any] | None, item: StreamItem) -> list[Any] | None:
    """With what is to be said again; None once something came that is not."""
    match item:
        case _ if said is None:
            return None
        case Chunk(payload, text):
            if _is_text(payload):
                said.append([_without_thoughts(payload), text])
                return said
        case TextDelta(text):
            said.append([None, text])
            return said
    return None


def _is_text(payload: dict[str, Any]) -> bool:
    deltas = [choice.get("delta") or {} for choice in payload.get("choices") or ()]
    return not any(delta.get("tool_calls") or delta.get("function_call") for delta in deltas)


def _without_thoughts(payload: dict[str, Any]) -> dict[str, Any]:
    choices = []
    for choice in payload.get("choices") or ():
        delta = choice.get("delta") or {}
        kept = {name: value for name, value in delta.items() if name not in THOUGHTS}
        choices.append({**choice, "delta": kept})
    rest = {name: value for name, value in payload.items() if name != "usage"}
    return {**rest, "choices": choices}


def _is_whole(done: Completed) -> bool:
    return done.finish_reason == "stop" and done.model != OFFLINE


def _again(value: dict[str, Any], began: float) -> list[StreamItem]:
    took_ms = round((monotonic() - began) * 1000)
    items: list[StreamItem] = [
        TextDelta(text) if payload is None else Chunk(payload, text)
        for payload, text in value["said"]
    ]
    nothing = TokenUsage(prompt_tokens=0, completion_tokens=0)
    return [*items, Completed("stop", nothing, value["model"], "", took_ms, took_ms, attempts=0)]
