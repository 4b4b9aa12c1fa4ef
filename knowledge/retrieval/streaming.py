"""A search that tells what each of its queries found as soon as it is there."""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from gateway.labels import Demand
from gateway.types import Payer
from knowledge.retrieval.allowed import allowed_to
from knowledge.retrieval.candidates import Found
from knowledge.retrieval.questions import Prepared, embed_for
from knowledge.retrieval.searching import Plan, plan_search, run_plan
from knowledge.retrieval.types import NO_FILTERS, Filters, Query
from knowledge.types import SearchResult
from observability.patience import run_patiently


async def search_streaming(
    user: User | AnonymousUser,
    query: str,
    collections: Sequence[UUID] | None = None,
    limit: int = 10,
    demands: Sequence[Demand] = (),
    *,
    also: Sequence[Query] = (),
    filters: Filters = NO_FILTERS,
    payer: Payer | None = None,
    remember: bool = True,
    only_alike: bool = False,
) -> AsyncGenerator[Found | SearchResult, None]:
    """What `search` finds, the result last; before it, where there are several queries, what each
    of them found, in the order in which they end. They run at the same time, in threads of their
    own, with one call of the embedder for all; the failure of one is the failure of the search.
    """
    embedder_for = embed_for(collections, demands, user, payer, remember=remember)
    plan = plan_search(
        user, query, await run_patiently(allowed_to, user, collections), limit, embedder_for,
        also=also, filters=filters, collections=collections, only_alike=only_alike,
    )  # fmt: skip
    if not also:
        yield await run_patiently(run_plan, plan)
        return
    began = time.perf_counter()
    prepared = await run_patiently(plan.begin)
    found: dict[int, Found] = {}
    ended: asyncio.Queue[int | None] = asyncio.Queue()
    going = asyncio.create_task(_run_all(plan, prepared, found, ended))
    try:
        while (n := await ended.get()) is not None:
            yield found[n]
        await going
    finally:
        going.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await going
    yield plan.result(prepared, [found[n] for n in sorted(found)], began)


async def _run_all(
    plan: Plan,
    prepared: Prepared,
    found: dict[int, Found],
    ended: "asyncio.Queue[int | None]",
) -> None:
    """Run every query; the number of each is told when it is in `found`, and None at the end."""

    async def run(n: int) -> None:
        (found[n],) = await run_patiently(plan.run, plan.queries[n : n + 1], prepared.of(n))
        ended.put_nowait(n)

    try:
        async with asyncio.TaskGroup() as group:
            for n in range(len(plan.queries)):
                group.create_task(run(n))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    finally:
        ended.put_nowait(None)
