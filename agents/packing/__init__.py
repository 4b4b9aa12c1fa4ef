"""From found passages to the few that fit, as blocks that are worth reading.

`choosing` (nothing twice, and not always the same) → `joining` (neighbours, sections, whole short
documents) → the order of the prompt. `costs` counts tokens; what stands around passages comes from
`knowledge.retrieval.surroundings`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from agents.packing.choosing import choose
from agents.packing.costs import BLOCK_TOKENS, cost_of
from agents.packing.joining import best_at_the_ends, bundled, grown, joined
from agents.types import PackedPassage
from knowledge.retrieval.types import Drop
from knowledge.types import NOTHING_AROUND, Around, Passage

__all__ = ["BLOCK_TOKENS", "Packed", "cost_of", "pack", "pack_with"]


@dataclass(frozen=True, slots=True)
class Packed:
    """What the model is shown, what it costs, and why found passages are not among it."""

    passages: tuple[PackedPassage, ...]
    tokens: int = 0
    dropped: Mapping[UUID, Drop] = field(default_factory=dict)


def pack(passages: Sequence[Passage], budget: int, limit: int = 8) -> tuple[PackedPassage, ...]:
    """The best passages, at most `limit` chunks within `budget` tokens, numbered as they stand."""
    return pack_with(passages, budget, limit).passages


def pack_with(
    passages: Sequence[Passage], budget: int, limit: int = 8, around: Around = NOTHING_AROUND
) -> Packed:
    """The same with what stands around them, for which `limit` does not count but `budget` does.

    Numbers follow the order in the prompt: the best first, the second best last. Every part is the
    stored text from its start to its end.
    """
    chosen, dropped = choose(passages, budget, limit)
    groups = grown(joined(chosen), around.nearby, budget)
    ordered = best_at_the_ends(bundled(groups, around.whole, budget))
    shown = {part.chunk_id for group in ordered for part in group}
    return Packed(
        tuple(PackedPassage(n, tuple(group)) for n, group in enumerate(ordered, 1)),
        sum(map(cost_of, ordered)),
        {pk: why for pk, why in dropped.items() if pk not in shown},
    )
