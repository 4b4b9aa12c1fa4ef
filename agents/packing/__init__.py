"""From found passages to the few that fit: best first, nothing twice, neighbours joined."""

from collections.abc import Sequence
from dataclasses import replace

from agents.tokens import estimate_tokens
from agents.types import PackedPassage
from knowledge.types import Passage

SAME_TEXT = 0.8  # share of common shingles from which a passage repeats another
SHINGLE = 12  # characters without white space
LARGEST_GAP = 4  # characters (white space) between chunks that count as neighbours
BLOCK_TOKENS = 40  # what fences, number, title and headings of one block cost


def pack(passages: Sequence[Passage], budget: int, limit: int = 8) -> tuple[PackedPassage, ...]:
    """Number the best passages, at most `limit` chunks within `budget` tokens.

    A passage that does not fit is left out and a later, shorter one may take its place; only if
    the very first is too long is it cut. Numbers follow rank; neighbours rank as the best of them.
    """
    chosen: list[Passage] = []
    shingles: list[frozenset[str]] = []
    left = budget
    for found in passages:
        if len(chosen) == limit:
            break
        passage = found if chosen else _cut(found, left - BLOCK_TOKENS)
        cost = estimate_tokens(passage.head + passage.text) + BLOCK_TOKENS
        own = _shingles(passage.text)
        if cost > left or not passage.text or any(_is_repeat(own, other) for other in shingles):
            continue
        chosen.append(passage)
        shingles.append(own)
        left -= cost
    groups = _joined(chosen)
    return tuple(PackedPassage(n, tuple(group)) for n, group in enumerate(groups, 1))


def _cut(passage: Passage, tokens: int) -> Passage:
    """As much of the beginning as fits; it is still the document's text from start to end."""
    if estimate_tokens(passage.text) <= tokens:
        return passage
    text = passage.text
    while text and estimate_tokens(text) > tokens:
        text = text[: len(text) * 9 // 10]
    text = text.rstrip()
    return replace(passage, text=text, end=passage.start + len(text))


def _shingles(text: str) -> frozenset[str]:
    dense = "".join(text.split()).lower()
    count = max(1, len(dense) - SHINGLE + 1)
    return frozenset(dense[i : i + SHINGLE] for i in range(count))


def _is_repeat(one: frozenset[str], other: frozenset[str]) -> bool:
    return len(one & other) >= SAME_TEXT * min(len(one), len(other))


def _joined(chosen: Sequence[Passage]) -> list[list[Passage]]:
    """Groups of neighbours in reading order; groups in the order of their best member."""
    groups: list[list[Passage]] = []
    for passage in chosen:
        touching = [g for g in groups if _touches(g[-1], passage) or _touches(passage, g[0])]
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


def _touches(before: Passage, after: Passage) -> bool:
    return (
        before.document_id == after.document_id
        and before.start < after.start
        and before.end < after.end
        and after.start - before.end <= LARGEST_GAP
    )
