"""Passages on their way to a model: without those that a rule leaves out, and what it hides."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from agents.guardrails.types import Place
from agents.types import AgentTask, PackedPassage, RetrievalCompleted
from gateway.labels import Demand
from knowledge.retrieval.types import Drop
from knowledge.types import Passage

Step = TypeVar("Step")


async def permitted(
    task: AgentTask, passages: tuple[PackedPassage, ...], demands: Sequence[Demand] = ()
) -> tuple[PackedPassage, ...]:
    """`demands` are those of the passages: whoever judges them meets them as well."""
    if task.guard is None or not passages:
        return passages
    task.guard.demand(demands)
    return await task.guard.passages(passages)


async def permitted_step(task: AgentTask, step: Step) -> Step:
    if task.guard is None or not isinstance(step, RetrievalCompleted):
        return step
    passages = await permitted(task, step.passages, step.demands)
    held = _parts(step.passages) - _parts(passages)
    if step.found is None or not held:
        return replace(step, passages=passages)
    trace = tuple(
        replace(one, dropped=Drop.RULE) if one.chunk_id in held else one for one in step.found.trace
    )
    return replace(step, passages=passages, found=replace(step.found, trace=trace))


def _parts(passages: Sequence[PackedPassage]) -> set[UUID]:
    return {part.chunk_id for passage in passages for part in passage.parts}


async def for_ranking(
    task: AgentTask, passages: Sequence[Passage], demands: Sequence[Demand]
) -> list[Passage]:
    """As a model may read them that puts them in an order: each in its place, those that are left
    out later without words."""
    guard = task.guard
    if guard is None or not guard.at(Place.RETRIEVED):
        return list(passages)
    guard.demand(demands)
    found = []
    for passage in passages:
        packed = PackedPassage(0, (passage,))
        kept = await guard.passages([packed], is_told=False)
        if not kept:
            found.append(replace(passage, text="", title="", head="", heading_path=()))
        elif (told := kept[0].told) is not None:
            found.append(replace(passage, text=told[1], title="", head="", heading_path=()))
        else:
            found.append(passage)
    return found


def as_stored(ranked: Sequence[Passage], stored: Sequence[Passage]) -> tuple[Passage, ...]:
    """The passages themselves in the order, and with the scores, of what was ranked."""
    known = {one.chunk_id: one for one in stored}
    return tuple(replace(known[one.chunk_id], score=one.score) for one in ranked)
