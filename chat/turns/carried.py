"""What a turn brings along from before: demanded labels, and an answer that broke off."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson

from agents.types import GoingOn
from gateway.labels import Demand


def demands_in(row: Mapping[str, Any], searched: Sequence[UUID] | None) -> tuple[Demand, ...]:
    """Of the agent, the teams of the person asking, the collections that are named to be searched,
    and of the conversation so far. `row` is that of `chat.turns.work`."""
    names = set(map(str, searched or ()))
    found = [
        Demand(label, kind, name)
        for kind, pk, name, labels in orjson.loads(row["demands"] or "[]")
        if kind != "collection" or pk in names
        for label in labels
    ]
    known = {demand.label for demand in found}
    earlier = (Demand(label, "earlier") for label in row["demanded_labels"] if label not in known)
    return tuple(sorted({*found, *earlier}, key=lambda d: (d.kind, d.name, d.label)))


def said_by_collections(
    row: Mapping[str, Any], searched: Sequence[UUID] | None
) -> tuple[Mapping[str, bool], ...]:
    """What the collections that are named to be searched say of the ways of understanding."""
    names = set(map(str, searched or ()))
    found = orjson.loads(row["said_by_collections"] or "[]")
    return tuple(said for pk, said in found if pk in names)


def reached_limit(notice: str | None) -> bool:
    """Whether a limit of its run ended an answer, by the notice that is kept with it."""
    return "run_limit_" in (notice or "")


def handed_over_to(steps: Iterable[Mapping[str, Any]]) -> str | None:
    """Id of the agent that went on in place of the one that was asked, by an answer's steps."""
    found = [step["data"]["agent_id"] for step in steps if step["kind"] == "handed_over"]
    return found[-1] if found else None


def run_before(row: Mapping[str, Any]) -> UUID | None:
    """The run that a limit ended and that is gone on from with all of it. Of one that was handed
    over only the words are: what the others did is kept apart, and would be done again."""
    if row["said_in"] is None or not reached_limit(row["said_notice"]):
        return None
    if handed_over_to(orjson.loads(row["said_steps"] or "[]")):
        return None
    found: UUID = row["said_in"]
    return found


def going_on(said: str | None, steps: str | None) -> GoingOn | None:
    """The text of an answer that broke off, and where the passages are that its numbers mean;
    `steps` is JSON."""
    if not said:
        return None
    told = (p for step in orjson.loads(steps or "[]") for p in step["data"].get("passages", ()))
    found = {p["n"]: p for p in told if "n" in p}  # candidates of a search have no number
    return GoingOn(
        said,
        {n: (UUID(p["document_id"]), p["start"]) for n, p in found.items()},
        {n: (UUID(p["chunk_id"]), p["end"]) for n, p in found.items() if "chunk_id" in p},
    )
