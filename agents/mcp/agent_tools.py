"""Tools that ask: which agents there are, and an answer of one of them, with its evidence."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from django.utils import translation
from pydantic import BaseModel, Field, StringConstraints

from accounts.limits import spend_for
from agents.loop import run_agent
from agents.mcp.framing import framed
from agents.mcp.knowledge_tools import ListArguments
from agents.mcp.types import Arguments, Said, Visit
from agents.openai.callers import in_thread
from agents.openai.demands import demands_on
from agents.openai.watch import current_watch
from agents.selectors import agent_spec, find_agent, list_agents, usual_agent
from agents.services import DOCUMENTS
from agents.types import (
    AgentTask,
    CitationAdded,
    Finished,
    HandedOver,
    Step,
    TextDelta,
    UsageRecorded,
)
from knowledge.selectors import require_collections
from security.rate_limits import Action
from security.text import storable

MOST_AGENTS = 200
TELL_SECONDS = 0.5  # between two notifications of progress


class ListedAgent(BaseModel):
    slug: str
    name: str
    description: str


class AgentsAnswer(BaseModel):
    agents: list[ListedAgent]


async def list_usable_agents(visit: Visit, _asked: ListArguments) -> Said:
    def listed() -> list[ListedAgent]:
        return [
            ListedAgent(slug=one.slug, name=one.name, description=one.description)
            for one in list_agents(visit.call.user)[:MOST_AGENTS]
        ]

    agents = await in_thread(listed)
    quotes = [(one.name, one.description or "(no description)") for one in agents]
    feet = [f"[{n}] agent: {one.slug}" for n, one in enumerate(agents, 1)]
    head = f"Agents that you may ask: {len(agents)}."
    return Said(framed(head, quotes, feet), AgentsAnswer(agents=agents))


class AskArguments(Arguments):
    question: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=32_000)
    ] = Field(description="Whole in itself: an agent knows nothing of your conversation.")
    agent: Annotated[str, StringConstraints(max_length=200)] = Field(
        "", description="Its slug, as list_agents has it; empty: the usual one."
    )
    collections: list[UUID] = Field(
        [], max_length=100, description="Ids; empty: all that the agent and you may read."
    )


class Cited(BaseModel):
    n: int = Field(description="The number in the answer: [n].")
    document_id: UUID
    chunk_id: UUID
    title: str
    quote: str
    start: int
    end: int
    page: int | None
    score: float | None = Field(description="How well quote and sentence agree, from 0 to 1.")
    url: str


class Used(BaseModel):
    prompt_tokens: int | None
    completion_tokens: int | None


class AskAnswer(BaseModel):
    answer: str
    agent: str
    citations: list[Cited]
    notice: str = Field(description="What is to be known about how the answer came about.")
    handed_to: str = Field(description="The slug of the agent that wrote its end; else empty.")
    usage: Used | None


@dataclass
class Heard:
    """What an answer consists of so far."""

    words: list[str] = field(default_factory=list)
    citations: list[CitationAdded] = field(default_factory=list)
    notice: str = ""
    handed_to: str = ""
    usage: Used | None = None

    def add(self, step: Step) -> None:
        match step:
            case TextDelta(text):
                self.words.append(text)
            case CitationAdded():
                self.citations.append(step)
            case UsageRecorded():
                self.usage = Used(
                    prompt_tokens=step.prompt_tokens, completion_tokens=step.completion_tokens
                )
            case HandedOver():
                self.handed_to = step.slug
            case Finished():
                self.notice = step.notice


async def ask_agent(visit: Visit, asked: AskArguments) -> Said:
    """As long as the token is good; whoever goes away stops the model."""
    task = await in_thread(_task, visit, asked)
    heard, told, told_at = Heard(), 0, 0.0
    async with aclosing(_steps(visit, task)) as steps:
        async for step in steps:
            heard.add(step)
            now = time.monotonic()
            if len(heard.words) > told and now - told_at >= TELL_SECONDS:
                since = "".join(heard.words[told:])
                told, told_at = len(heard.words), now
                await visit.tell(sum(map(len, heard.words)), since)
    return _said(visit, task.agent.slug, heard)


async def _steps(visit: Visit, task: AgentTask) -> AsyncGenerator[Step, None]:
    with translation.override(visit.call.language):
        async with aclosing(current_watch().over(visit.call.token_id, run_agent(task))) as steps:
            async for step in steps:
                yield step


def _task(visit: Visit, asked: AskArguments) -> AgentTask:
    """Raises Http404 for an agent or a collection that the caller may not see, and LimitReached."""
    call = visit.call
    spend_for(visit.request, Action.TURNS)
    agent = find_agent(call.user, asked.agent or usual_agent(call.user) or DOCUMENTS)
    collections = require_collections(call.user, asked.collections or None)
    return AgentTask(
        agent_spec(agent),
        call.user,
        storable(asked.question),
        collections=tuple(collections or ()),
        demands=demands_on(call.user, agent),
        team_ids=call.team_ids,
        token_id=call.token_id,
        purpose="api",
        has_glossary=True,  # it is looked up, since nothing is read along here
    )


def _said(visit: Visit, agent: str, heard: Heard) -> Said:
    citations = [
        Cited(
            n=one.n,
            document_id=one.document_id,
            chunk_id=one.chunk_id,
            title=one.title,
            quote=one.quote,
            start=one.start,
            end=one.end,
            page=one.page,
            score=one.score,
            url=visit.link(one.document_id, one.start, one.end),
        )
        for one in sorted(heard.citations, key=lambda one: one.n)
    ]
    answer = AskAnswer(
        answer="".join(heard.words),
        agent=agent,
        citations=citations,
        notice=heard.notice,
        handed_to=heard.handed_to,
        usage=heard.usage,
    )
    feet = [f"({n}) [{one.n}] {one.url}" for n, one in enumerate(citations, 1)]
    head = "\n\n".join(filter(None, [answer.answer, heard.notice]))
    quotes = [(f"[{one.n}] {one.title}", one.quote) for one in citations]
    head = f"{head}\n\nWhat it rests on:" if quotes else head
    return Said(framed(head, quotes, feet), answer)
