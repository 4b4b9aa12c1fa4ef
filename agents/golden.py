"""Golden questions answered by the agents that answer from their collection, else as the default
agent does it, for the share of supported sentences.

The documents of the question's collection alone are searched, and no tool is called; nothing is
remembered or reused, and an approved answer stands behind itself: the model is asked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from accounts.models import User
from accounts.payers import payer_of
from agents.finding import in_better_order, rerank_depth, search_documents
from agents.loop import run_agent
from agents.models import Agent
from agents.prompt import RULES
from agents.selectors import agent_spec
from agents.types import AgentSpec, AgentTask, SupportChecked
from agents.understanding.asking import understand_question
from gateway.chat import stream_chat
from gateway.embedding.background import run
from gateway.labels import Demand
from gateway.routing.routes import find_routes
from gateway.types import NOBODY
from knowledge.glossary.presence import is_any_there
from knowledge.ingestion.steps import fingerprint
from knowledge.labels import demands_of
from knowledge.models import Collection
from knowledge.quality.asking import usual_ways
from knowledge.quality.judging import DEPTH
from knowledge.retrieval.reranking import Asked, name_of
from knowledge.switches import Switch
from knowledge.types import SearchResult

MOST_AGENTS = 3  # that answer each question, the oldest


def supported_share(user: User, collection: Collection, question: str) -> float | None:
    """Of all their answers together. None where they say nothing that a source could support;
    raises GatewayError."""
    task = task_for(user, collection, question, collection.understanding)
    checked = [found for one in _by_agents(task, collection) if (found := run(_checked(one)))]
    claims = sum(one.claims for one in checked)
    return sum(one.supported for one in checked) / claims if claims else None


def find_with(
    user: User, collection: Collection, question: str, ways: frozenset[Switch]
) -> SearchResult:
    """What an answer is chosen from where questions are understood in these ways, the usual ones
    and no others; a reranker that does not answer changes nothing. Raises GatewayError."""
    ways |= usual_ways(collection)
    return run(
        found_for(task_for(user, collection, question, {one: one in ways for one in Switch}))
    )


def reranker_of(collection: Collection) -> str:
    """Who puts passages of it in a better order for its golden questions."""
    demands = tuple(demands_of([collection.pk]))
    model = AgentSpec().model_name
    return run(name_of(Asked("", NOBODY, demands, model, stream_chat, find_routes)))


def prompt_of(collection: Collection) -> str:
    """What agents are told that answer from it: the house's rules, and their own instructions."""
    agents = Agent.objects.filter(collections=collection).order_by("pk")
    return fingerprint(RULES, *agents.values_list("instructions", flat=True))[:16]


def _by_agents(task: AgentTask, collection: Collection) -> Iterator[AgentTask]:
    """Asked of each agent that has this collection and that the person may use."""
    agents = Agent.objects.visible_to(task.user).filter(collections=collection, version__gt=0)
    found = list(agents.order_by("pk")[:MOST_AGENTS])
    for agent in found:
        yield as_asked_of(task, agent)
    if not found:
        yield task


def as_asked_of(task: AgentTask, agent: Agent) -> AgentTask:
    """The same question to this agent: of the same collection, and without its tools."""
    spec = replace(
        agent_spec(agent), collections=task.collections, is_limited=False,
        said_by_collections=(), tools=(), helpers=(), reuse="off",
    )  # fmt: skip
    demands = [Demand(label, "agent", agent.name) for label in agent.required_labels]
    return replace(task, agent=spec, demands=(*task.demands, *demands))


def task_for(
    user: User, collection: Collection, question: str, said: Mapping[str, bool]
) -> AgentTask:
    """A question to the default agent, which the documents of `collection` alone answer."""
    payer = payer_of(user, "other")
    return AgentTask(
        AgentSpec(), user, question,
        collections=(collection.pk,), is_anew=True, team_ids=payer.team_ids, purpose="other",
        demands=tuple(demands_of([collection.pk])), said_by_collections=(said,),
        has_glossary=is_any_there(),
    )  # fmt: skip


async def found_for(task: AgentTask) -> SearchResult:
    """What its agent would choose an answer from; raises what search raises."""
    collections = list(task.collections)
    understood, _rewritten = await understand_question(task, collections, stream_chat, find_routes)
    depth = await rerank_depth(task, collections, task.question)
    found = await search_documents(
        task.user, understood.first.text, collections, max(DEPTH, depth), task.demands,
        also=understood.also, filters=understood.filters, payer=task.payer("embedding"),
    )  # fmt: skip
    better, _reranked = await in_better_order(task, found, depth, (stream_chat, find_routes))
    return better


async def _checked(task: AgentTask) -> SupportChecked | None:
    found = None
    async for step in run_agent(task):
        if isinstance(step, SupportChecked):
            found = step
    return found
