"""Documents: passages that fit, and the text of one, as the person and the agent may read them."""

from collections.abc import Collection, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from django.db.models import Q
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from pydantic import Field, StringConstraints

from agents.asking import searched_collections
from agents.finding import retrieve
from agents.finding import search_documents as find_passages
from agents.reading import in_pieces
from agents.tools.provenance import provenance_of
from agents.tools.registry import tool
from agents.tools.types import Effect, ToolCalling, ToolOutput, ToolRefused
from agents.types import AgentTask, PackedPassage, RetrievalCompleted
from gateway.chat import stream_chat
from gateway.labels import Demand, LabelUnmet, require_labels
from gateway.routing.routes import find_routes
from knowledge.labels import demands_of
from knowledge.models import is_collected
from knowledge.retrieval.types import Query
from knowledge.retrieval.understanding import Understood
from knowledge.types import NOTHING_AROUND, SearchResult
from knowledge.windows import NothingToRead, Window, passages_in, read_window, start_of_page
from observability.patience import run_patiently
from security.text import storable

RESULT_CHARS = 16_000
BUDGET = 3_000  # tokens of passages: fewer than RESULT_CHARS in every script
LONGEST_WINDOW = 12_000  # characters
NOT_THERE = "No document that you may read has this id. Search, and take an id from the result."

SearchText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


@tool(
    title=_("Search documents"), effect=Effect.READS, icon="search", result_chars=RESULT_CHARS,
    timeout=60, keeps_masks=True,  # the query goes to embedders and rerankers
)  # fmt: skip
async def search_documents(
    calling: ToolCalling,
    query: SearchText,
    limit: Annotated[int, Field(ge=1, le=20)] = 8,
) -> ToolOutput:
    """Search the documents by words and by meaning. Cite passages by their numbers."""
    task = replace(calling.task, agent=replace(calling.task.agent, max_passages=limit))
    collections = [] if task.has_lost_its_collections else searched_collections(task)
    understood = Understood((Query(storable(query)),))
    done = RetrievalCompleted(query, (), 0.0)
    found = retrieve(
        task, find_passages, understood, collections,
        budget=BUDGET, helpers=(stream_chat, find_routes),
    )  # fmt: skip
    async with aclosing(found) as steps:
        async for step in steps:
            if isinstance(step, RetrievalCompleted):
                done = step
    if not done.passages:
        nothing = "Nothing in the documents fits this query."
        return ToolOutput(nothing, {"query": query}, found=_traced(done.found))
    read = {part.collection_id for one in done.passages for part in one.parts}
    head = f"Passages that fit: {len(done.passages)}, in this order:"
    await may_show(task, done.demands)
    output = await _output(head, done.passages, read, done.demands, query=query)
    return replace(output, found=_traced(done.found))


@tool(title=_("Read a document"), effect=Effect.READS, icon="document", result_chars=RESULT_CHARS)
async def read_document(
    calling: ToolCalling,
    document_id: UUID,
    start: Annotated[int, Field(ge=0, le=2**31 - 1, description="first character")] = 0,
    length: Annotated[int, Field(ge=1, le=LONGEST_WINDOW)] = 6_000,
    page: Annotated[int | None, Field(ge=1, le=100_000, description="instead of start")] = None,
) -> ToolOutput:
    """Read the text of a document, a stretch at a time. Cite it by the numbers of its passages."""
    within = within_reach_of(calling.task)
    try:
        if page is not None:
            start = await run_patiently(start_of_page, calling.user, document_id, page, within)
        window = await run_patiently(read_window, calling.user, document_id, start, length, within)
    except NothingToRead as error:
        raise ToolRefused(str(error)) from None
    except Http404:
        raise ToolRefused(NOT_THERE) from None
    found = await run_patiently(passages_in, calling.user, window)
    passages = list(in_pieces(window.text, found, window.start))
    demands = await run_patiently(demands_of, [window.collection_id])
    head = _place(window) if passages else f"{_place(window)}\n\n{window.text}"
    await may_show(calling.task, demands)
    read = await _output(head, passages, {window.collection_id}, demands)
    return replace(read, documents=frozenset({window.document_id}))


async def may_show(task: AgentTask, demands: Sequence[Demand]) -> None:
    """Raises ToolRefused where no endpoint of the agent's model has what is demanded."""
    try:
        require_labels(await find_routes(task.agent.model_name), demands)
    except LabelUnmet as error:
        raise ToolRefused(f"These documents may not be shown to this model: {error}") from None


def within_reach_of(task: AgentTask) -> Q:
    """What the agent may read of what the person may: its collections and those chosen for the
    conversation, and the files that are attached in this one."""
    attached = Q(collection__in=[file.shelf_id for file in task.attachments])
    if task.has_lost_its_collections:
        return attached
    chosen = searched_collections(task)
    collected = is_collected()
    return attached | (collected if chosen is None else collected & Q(collection__in=chosen))


async def _output(
    head: str,
    passages: Sequence[PackedPassage],
    collections: Collection[UUID],
    demands: Sequence[Demand],
    **data: Any,
) -> ToolOutput:
    """Where the passages are from, for models that read on; they themselves are quoted by the loop,
    which numbers them."""
    taints, readers = await run_patiently(provenance_of, collections)
    return ToolOutput(
        "\n".join([head, *map(_whence, passages)]),
        {"kind": "passages", **data, "passages": [_listed(one) for one in passages]},
        tuple(passages),
        taints,
        readers,
        tuple(demands),
    )


def _traced(found: SearchResult | None) -> SearchResult | None:
    """What it looked at, without a word of it: a run keeps what its tools gave back."""
    return found and replace(found, passages=(), around=NOTHING_AROUND)


def _place(window: Window) -> str:
    pages = f", pages: {window.page_count}" if window.page_count else ""
    said = f"“{window.title}”, characters {window.start}-{window.end} of {window.length}{pages}."
    rest = window.next_start
    return said if rest is None else f"{said} Read on with start={rest}."


def _whence(passage: PackedPassage) -> str:
    first, last = passage.first, passage.parts[-1]
    page = f", page {first.page}" if first.page else ""
    return f"- document {first.document_id}, characters {first.start}-{last.end}{page}"


def _listed(passage: PackedPassage) -> dict[str, Any]:
    first, last = passage.first, passage.parts[-1]
    return {
        "title": passage.title, "document_id": str(first.document_id),
        "start": first.start, "end": last.end, "page": first.page,
    }  # fmt: skip
