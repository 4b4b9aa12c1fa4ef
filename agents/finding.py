"""What of the documents a question finds, and what of it the model is shown."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from uuid import UUID

from accounts.models import User
from agents.authority.markers import refresh_markers
from agents.guardrails.passages import as_stored, for_ranking
from agents.packing import Packed, pack_with
from agents.types import (
    AgentTask,
    Chat,
    PassagesReranked,
    QuerySearched,
    RetrievalCompleted,
    Search,
)
from gateway.labels import Demand
from gateway.types import FindRoutes, Payer
from knowledge.retrieval import search_streaming
from knowledge.retrieval.candidates import Found
from knowledge.retrieval.reranking import Asked, Reranked, put_in_order
from knowledge.retrieval.surroundings import read_around
from knowledge.retrieval.types import NO_FILTERS, Filters, Query, StageRank
from knowledge.retrieval.understanding import Understood
from knowledge.switches import Switch
from knowledge.tuned import rerank_depth_of
from knowledge.types import SearchResult
from observability.patience import run_patiently

CANDIDATES = 2  # passages looked at for each that may be packed
TOLD = 3  # passages of each query that readers are told of while others still search
LEAST_CONTEXT = 500  # tokens, however little a model is said to take

Tell = Callable[[Found], None]


async def search_documents(
    user: User,
    query: str,
    collections: list[UUID] | None,
    limit: int,
    demands: Sequence[Demand] = (),
    *,
    also: Sequence[Query] = (),
    filters: Filters = NO_FILTERS,
    payer: Payer | None = None,
    remember: bool = True,
    tell: Tell | None = None,
) -> SearchResult:
    """The search with what stands around its passages; `tell` hears of each of several queries as
    it ends."""
    searching = search_streaming(
        user, query, collections, limit, demands,
        also=also, filters=filters, payer=payer, remember=remember, only_alike=True,
    )  # fmt: skip
    result = SearchResult(query, (), 0.0)
    async with aclosing(searching) as found:
        async for one in found:
            if isinstance(one, SearchResult):
                result = one
            elif tell is not None:
                tell(one)
    if not result.passages:
        return result
    await run_patiently(refresh_markers)
    around = await run_patiently(read_around, user, result.passages)
    return replace(result, around=around) if around else result


async def retrieve(
    task: AgentTask,
    search: Search,
    understood: Understood,
    collections: list[UUID] | None,
    *,
    budget: int,
    after: int = 0,
    helpers: tuple[Chat, FindRoutes] | None = None,
) -> AsyncGenerator[QuerySearched | PassagesReranked | RetrievalCompleted, None]:
    """What each of several queries found, as soon as it has; then what of all of it is shown,
    within `budget` tokens and with numbers `after` those that are given already. `helpers` reach
    the model that may put it in a better order, where that is switched on."""
    query = understood.first.text
    if collections == []:
        yield RetrievalCompleted(query, (), 0.0)
        return
    depth = await rerank_depth(task, collections, query)
    told: asyncio.Queue[Found | None] = asyncio.Queue()
    searching = asyncio.create_task(
        _search(task, search, understood, collections, depth=depth, told=told)
    )
    searching.add_done_callback(lambda _task: told.put_nowait(None))
    try:
        while (one := await told.get()) is not None:
            yield query_searched(one)
        found = await searching
    finally:
        searching.cancel()
    found, step = await in_better_order(task, found, depth, helpers)
    if step is not None:
        yield step
    packed = pack_with(found.passages, budget, task.agent.max_passages, found.around)
    passages = tuple(replace(passage, n=after + passage.n) for passage in packed.passages)
    yield RetrievalCompleted(query, passages, found.took_ms, with_drops(found, packed))


async def rerank_depth(task: AgentTask, collections: list[UUID] | None, question: str) -> int:
    """How many passages are put in a better order; none where that is not switched on."""
    if Switch.RERANK not in task.switches:
        return 0
    return await run_patiently(rerank_depth_of, collections, question)


async def in_better_order(
    task: AgentTask,
    found: SearchResult,
    depth: int,
    helpers: tuple[Chat, FindRoutes] | None,
) -> tuple[SearchResult, PassagesReranked | None]:
    """The first `depth` of what was found by a reranker, and the step that says by which; as it was
    where there is nothing to order."""
    if not depth or len(found.passages) < 2:
        return found, None
    shown = await for_ranking(task, found.passages, found.demands)
    better = await put_in_order(_asked(task, found, helpers), shown, depth)
    better = replace(better, passages=as_stored(better.passages, found.passages))
    step = PassagesReranked(better.way, better.model, better.depth, better.took_ms, better.trouble)
    return with_ranks(found, better), step


async def _search(
    task: AgentTask,
    search: Search,
    understood: Understood,
    collections: list[UUID] | None,
    *,
    depth: int,
    told: "asyncio.Queue[Found | None]",
) -> SearchResult:
    """Wider where the first `depth` of what is found will be put in a better order."""
    limit = max(task.agent.max_passages * CANDIDATES, depth)
    demanded = (task.demands,) if task.demands else ()
    telling = {"tell": told.put_nowait} if understood.also else {}
    return await search(
        task.user,
        understood.first.text,
        collections,
        limit,
        *demanded,
        also=understood.also,
        filters=understood.filters,
        payer=task.payer("embedding"),
        remember=not task.is_temporary,
        **telling,
    )


def _asked(task: AgentTask, found: SearchResult, helpers: tuple[Chat, FindRoutes] | None) -> Asked:
    chat, routes = helpers or (None, None)
    demands = tuple(dict.fromkeys((*task.demands, *found.demands)))
    payer = task.payer("rerank")
    return Asked(found.query, payer, demands, task.agent.model_name, chat, routes)


def query_searched(found: Found) -> QuerySearched:
    query = found.query
    return QuerySearched(
        query.text, query.way.value, len(found.passages), found.took_ms, found.passages[:TOLD]
    )


def with_ranks(found: SearchResult, better: Reranked) -> SearchResult:
    """The search in its new order, which each candidate's ranks tell too."""
    if better.trouble:
        return replace(found, trouble=better.trouble)
    looked_at = better.passages[: better.depth]
    ranks = {
        passage.chunk_id: StageRank("reranked", rank, passage.score)
        for rank, passage in enumerate(looked_at, 1)
    }
    trace = tuple(
        replace(one, stages=(*one.stages, ranks[one.chunk_id])) if one.chunk_id in ranks else one
        for one in found.trace
    )
    return replace(found, passages=better.passages, trace=trace)


def with_drops(found: SearchResult, packed: Packed) -> SearchResult:
    """The search with why packing left out what it did, for whoever asks why."""
    trace = tuple(
        replace(candidate, dropped=packed.dropped.get(candidate.chunk_id, candidate.dropped))
        for candidate in found.trace
    )
    return replace(found, trace=trace)


async def within_reach(task: AgentTask, routes: FindRoutes) -> AgentTask:
    """The task with no more context than the model that answers can take beside its answer."""
    lengths = [route.context_length for route in await routes(task.agent.model_name)]
    shortest = min((length for length in lengths if length), default=0)
    room = max(LEAST_CONTEXT, shortest - task.agent.max_answer_tokens)
    if not shortest or room >= task.agent.context_tokens:
        return task
    return replace(task, agent=replace(task.agent, context_tokens=room))
