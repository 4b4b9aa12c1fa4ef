"""The answer to a prompt that was answered before, given again as if it were just written.

It takes the place of the model alone: documents were searched for this very person a moment ago,
and the answer's citations are located and verified like those of any other. One of equal questions
that come together asks the model; the others wait for what comes of it. If that is an error, a
budget that is used up perhaps, it is the error of the one who asked: each of the others asks then.
Nor does anybody wait for ever: a program that reads its answer drop by drop is not done with it.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from time import monotonic
from typing import Any

from agents.asking import Asked, searched_collections
from agents.citations import CitationGate
from agents.reuse import savings, similar
from agents.reuse.keys import answer_key, may_reuse, who_answers, whose
from agents.reuse.types import Answer, now
from agents.types import AgentTask, AnswerReused, Chat
from caching.cache import Cache, Hit
from caching.flight import Flight, jittered
from caching.flushing import flush
from gateway.types import (
    OFFLINE,
    Completed,
    EndpointSwitched,
    FindRoutes,
    Route,
    StreamItem,
    TextDelta,
    TokenUsage,
    ToolCalls,
)
from knowledge.state import knowledge_state
from observability.patience import run_patiently

HOUR, DAY, WEEK = 3600, 86_400, 604_800
PIECE = 2000  # characters that are given at a time
LONGEST_WAIT = 120.0  # seconds, for the answer to somebody's equal question
MOST_BYTES = 32 * 1024 * 1024

# Each agent says for how long; what is held near would outlive a flush by some milliseconds.
ANSWERS: dict[int, Cache[Answer]] = {
    seconds: Cache(
        f"answers.{name}", ttl=seconds, size=20_000, most_bytes=MOST_BYTES, near=0,
        shares_errors=False, pack=Answer.packed, unpack=Answer.unpacked,
    )
    for name, seconds in {"hour": HOUR, "day": DAY, "week": WEEK}.items()
}  # fmt: skip

Items = AsyncGenerator[StreamItem | AnswerReused, None]
Found = Hit[Answer] | Flight[Answer]


async def answers(task: AgentTask, asked: Asked, chat: Chat, routes: FindRoutes) -> Items:
    """What `chat` says, or what it said to the same before: then AnswerReused comes first."""
    began = monotonic()
    state = await _state(task, asked) if may_reuse(task, asked.request) else None
    if state is not None:
        served = await routes(asked.request.model)
        who = await who_answers(asked.request, served)
        key = answer_key(task, asked, state, who)
        cache = ANSWERS[task.agent.reuse_seconds]
        scopes = scopes_of(task, cache.field_of(key))
    # Whoever asks anew is not given what was said before, also when it could not be forgotten.
    is_alone = state is None or (
        task.is_anew and not await run_patiently(flush, cache.name, scopes[-1])
    )
    found = None if is_alone else await _look(cache, key, scopes)
    if state is None or found is None:
        async with aclosing(chat(asked.request)) as items:
            async for item in items:
                yield item
        return
    if isinstance(found, Hit):
        async for again in _again(task, found.value, began, served):
            yield again
        return
    async with found as flight:
        alike = similar.Alike(task, asked, state, who)
        if (answer := await alike.find()) is not None:
            async for again in _again(task, answer, began, served, is_similar=True):
                yield again
            return
        heard = Heard(asked)
        async with aclosing(chat(asked.request)) as items:
            async for item in items:
                if (said := heard.answer_after(item)) is not None:
                    await flight.keep(said)
                    await alike.keep(said)
                yield item


async def _look(cache: Cache[Answer], key: Any, scopes: Sequence[str]) -> Found | None:
    """None when somebody else takes too long over it. Not all who wait give up at once."""
    try:
        async with asyncio.timeout(jittered(LONGEST_WAIT)):
            return await cache.find(key, scopes)
    except TimeoutError:
        return None


async def _state(task: AgentTask, asked: Asked) -> str | None:
    """None when a right or a document has changed since the search."""
    parts = [part for passage in asked.passages for part in passage.parts]
    return await run_patiently(
        knowledge_state,
        task.user,
        searched_collections(task),
        documents={part.document_id for part in parts},
        chunks={part.chunk_id for part in parts},
    )


def scopes_of(task: AgentTask, field: bytes) -> tuple[str, ...]:
    """By which answers can be flushed: of the agent, of the person, and this one alone."""
    names = [f"agent:{task.agent.id}", f"answer:{field.hex()}"]
    owner = whose(task)
    return (f"person:{owner}", *names) if owner else tuple(names)


class Heard:
    """An answer as it is spoken, and whether it is one to give again."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._gate = CitationGate([passage.n for passage in asked.passages])
        self._is_whole = True

    def answer_after(self, item: StreamItem) -> Answer | None:
        """The answer, once it is complete: by the model that was asked, to its own end."""
        match item:
            case TextDelta(text):
                self._gate.feed(text)
            case EndpointSwitched() | ToolCalls():
                self._is_whole = False
            case Completed() if self._is_whole:
                return self._answer(item)
        return None

    def _answer(self, done: Completed) -> Answer | None:
        self._gate.close()
        text = self._gate.text
        if done.finish_reason != "stop" or done.model == OFFLINE or not text.strip():
            return None
        return Answer(
            text=text,
            model=done.model,
            endpoint=done.endpoint,
            made_at=now(),
            prompt_tokens=done.usage.prompt_tokens,
            completion_tokens=done.usage.completion_tokens,
            places=tuple((p.n, p.first.document_id, p.first.start) for p in self._asked.passages),
        )


async def _again(
    task: AgentTask,
    answer: Answer,
    began: float,
    routes: Sequence[Route],
    *,
    is_similar: bool = False,
) -> Items:
    """The text is there before anything is written down about it."""
    took_ms = round((monotonic() - began) * 1000)
    yield AnswerReused(answer.made_at, is_similar)
    for at in range(0, len(answer.text), PIECE):
        yield TextDelta(answer.text[at : at + PIECE])
    await savings.count(task, answer, routes, is_similar=is_similar)
    yield Completed(
        finish_reason="stop",
        usage=TokenUsage(prompt_tokens=0, completion_tokens=0),
        model=answer.model,
        endpoint="",
        first_token_ms=took_ms,
        total_ms=took_ms,
        attempts=0,
    )
