"""What a question was understood as: who takes its run up searches no more and tells it again."""

from collections.abc import Iterable
from uuid import UUID

from agents.running.keeping import begun_in
from events.types import Payload

KINDS = frozenset({"query_rewritten", "query_searched", "passages_reranked"})


def understood(run_id: UUID, steps: Iterable[Payload]) -> dict[str, list[Payload]]:
    """The rows of each agent that wrote the answer, by the call in which it was handed over to
    them; only of those whose run has a step, since the others search anew. One query, where there
    are any."""
    found: dict[str, list[Payload]] = {}
    parent = ""
    for step in steps:
        if step["kind"] == "handed_over":
            parent = step["data"]["call_id"]
        elif step["kind"] in KINDS:
            found.setdefault(parent, []).append(step)
    if not found:
        return found
    begun = begun_in(run_id)
    return {call: rows for call, rows in found.items() if call in begun}
