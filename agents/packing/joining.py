"""From single passages to blocks that read well: neighbours together, short documents whole."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from uuid import UUID

from agents.packing.costs import cost_of
from agents.tokens import estimate_tokens
from knowledge.types import Passage

LARGEST_GAP = 4  # characters (white space) between chunks that count as neighbours
READABLE_TOKENS = 500  # up to which a block grows by what stands around it
PIECE_TOKENS = 700  # of a whole document under one number

Group = list[Passage]  # one block of the prompt
Bundle = list[Group]  # blocks that stay together, in reading order


def joined(chosen: Sequence[Passage]) -> list[Group]:
    """Groups of neighbours in reading order; groups in the order of their best member."""
    groups: list[Group] = []
    for passage in chosen:
        touching = [g for g in groups if touches(g[-1], passage) or touches(passage, g[0])]
        if not touching:
            groups.append([passage])
            continue
        first, *rest = touching
        for other in rest:  # the passage closes the gap between two groups
            first.extend(other)
            groups.remove(other)
        first.append(passage)
        first.sort(key=lambda p: p.start)
    return groups


def touches(before: Passage, after: Passage) -> bool:
    return (
        before.document_id == after.document_id
        and before.start < after.start
        and before.end < after.end
        and after.start - before.end <= LARGEST_GAP
    )


def grown(groups: Sequence[Group], nearby: Sequence[Passage], budget: int) -> list[Group]:
    """The groups with the neighbours from their own sections, the best group first, each up to a
    readable length and all of them within `budget`; groups that meet become one."""
    left = budget - sum(map(cost_of, groups))
    known = {passage.chunk_id for group in groups for passage in group}
    grown_groups = [list(group) for group in groups]
    for group in grown_groups:
        while found := _neighbour(group, [p for p in nearby if p.chunk_id not in known]):
            larger = sorted([*group, found], key=lambda p: p.start)
            cost = cost_of(larger) - cost_of(group)
            if cost > left or estimate_tokens(found.text) + _tokens(group) > READABLE_TOKENS:
                break
            group[:] = larger
            known.add(found.chunk_id)
            left -= cost
    return _met(grown_groups)


def _neighbour(group: Group, nearby: Sequence[Passage]) -> Passage | None:
    """What comes behind the group in its section, else what comes before it."""
    for passage in nearby:
        if touches(group[-1], passage) and passage.heading_path == group[-1].heading_path:
            return passage
    for passage in nearby:
        if touches(passage, group[0]) and passage.heading_path == group[0].heading_path:
            return passage
    return None


def _tokens(group: Group) -> int:
    return sum(estimate_tokens(passage.text) for passage in group)


def _met(groups: Sequence[Group]) -> list[Group]:
    """Groups that grew together are one, with the rank of the better."""
    return joined([passage for group in groups for passage in group])


def bundled(
    groups: Sequence[Group], whole: Mapping[UUID, Sequence[Passage]], budget: int
) -> list[Bundle]:
    """Each group by itself; but those of a document that is there as a `whole` give way to all of
    it, in pieces, as far as that fits into `budget` beside the others."""
    bundles = [[group] for group in groups]
    for document, passages in whole.items():
        ranks = [n for n, bundle in enumerate(bundles) if bundle[0][0].document_id == document]
        others = [bundle for n, bundle in enumerate(bundles) if n not in ranks]
        pieces = _pieces(passages)
        spent = sum(cost_of(group) for bundle in [pieces, *others] for group in bundle)
        if ranks and spent <= budget:
            bundles = [*others[: ranks[0]], pieces, *others[ranks[0] :]]
    return bundles


def _pieces(passages: Sequence[Passage]) -> Bundle:
    """In reading order; a piece ends where the next passage would make it too long, or where
    something between two passages is left out."""
    pieces = [[passages[0]]]
    for before, passage in pairwise(passages):
        fits = _tokens(pieces[-1]) + estimate_tokens(passage.text) <= PIECE_TOKENS
        if fits and touches(before, passage):
            pieces[-1].append(passage)
        else:
            pieces.append([passage])
    return pieces


def best_at_the_ends(bundles: Sequence[Bundle]) -> list[Group]:
    """The best first and the second best last: models read the middle least (Liu et al. 2023)."""
    ordered = [*bundles[0::2], *bundles[1::2][::-1]]
    return [group for bundle in ordered for group in bundle]
