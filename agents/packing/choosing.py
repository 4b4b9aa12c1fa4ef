"""Which of the found passages are worth their tokens: nothing twice, and not always the same."""

from collections.abc import Sequence
from uuid import UUID

from agents.packing.costs import cost_of, cut
from knowledge.retrieval.types import Drop
from knowledge.types import Passage

SAME_TEXT = 0.8  # share of common shingles from which a passage repeats another
SHINGLE = 12  # characters without white space
# What it costs a passage to say the same as one that is chosen, in shares of the best score
# (maximal marginal relevance, Carbonell and Goldstein 1998).
SAMENESS = 0.3

Shingles = frozenset[str]


def choose(
    passages: Sequence[Passage], budget: int, limit: int
) -> tuple[list[Passage], dict[UUID, Drop]]:
    """At most `limit` passages within `budget` tokens, in the order of their choice, and why the
    others were left out.

    The next one is always that with the best score after what it repeats of those before it. One
    that does not fit makes room for shorter ones; only the very first is cut.
    """
    shingles = {passage.chunk_id: shingles_of(passage.text) for passage in passages}
    best = max((passage.score for passage in passages), default=0.0) or 1.0
    rest = [passage for passage in passages if passage.text]
    sameness = dict.fromkeys(shingles, 0.0)
    chosen: list[Passage] = []
    dropped: dict[UUID, Drop] = {}
    left = budget
    while rest and len(chosen) < limit:
        found = max(rest, key=lambda p: p.score / best - SAMENESS * sameness[p.chunk_id])
        rest.remove(found)
        if sameness[found.chunk_id] >= SAME_TEXT:
            dropped[found.chunk_id] = Drop.DUPLICATE
            continue
        passage = found if chosen else cut(found, left)
        if passage is None or (cost := cost_of([passage])) > left:
            dropped[found.chunk_id] = Drop.BUDGET
            continue
        chosen.append(passage)
        left -= cost
        own = shingles[found.chunk_id]
        for other in rest:
            shared = shared_part(own, shingles[other.chunk_id])
            sameness[other.chunk_id] = max(sameness[other.chunk_id], shared)
    dropped |= {p.chunk_id: _why_left(p, passages[:limit], sameness) for p in rest}
    return chosen, dropped


def _why_left(passage: Passage, first: Sequence[Passage], sameness: dict[UUID, float]) -> Drop:
    if sameness[passage.chunk_id] >= SAME_TEXT:
        return Drop.DUPLICATE
    return Drop.DIVERSITY if passage in first else Drop.LIMIT


def shingles_of(text: str) -> Shingles:
    dense = "".join(text.split()).lower()
    count = max(1, len(dense) - SHINGLE + 1)
    return frozenset(dense[i : i + SHINGLE] for i in range(count))


def shared_part(one: Shingles, other: Shingles) -> float:
    """How much of the shorter text stands in the other, 0 to 1."""
    return len(one & other) / min(len(one), len(other))
