"""What a block of the prompt costs, and where a text may be cut. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from agents.tokens import estimate_tokens
from agents.types import PackedPassage
from gateway.sentences import split_sentences
from knowledge.types import Passage

# What fences, number, title and headings of one block cost; longer ones are counted besides.
BLOCK_TOKENS = 40
LABEL_TOKENS = 20  # of these are for title and headings


def cost_of(parts: Sequence[Passage]) -> int:
    """Tokens of these parts as one block of the prompt, with everything around it."""
    packed = PackedPassage(0, tuple(parts))
    label = estimate_tokens(" › ".join([packed.title, *packed.first.heading_path]))
    return estimate_tokens(packed.text) + BLOCK_TOKENS + max(0, label - LABEL_TOKENS)


def cut(passage: Passage, budget: int) -> Passage | None:
    """As many whole sentences of the beginning as fit; it is still the document's text from start
    to end. A table or a program is cut behind a line. Only what begins with a sentence longer than
    the budget is cut inside of it; None if nothing fits."""
    if cost_of([passage]) <= budget:
        return passage
    ends = [end for _, end in split_sentences(passage.text)]
    lines = [n for n, sign in enumerate(passage.text) if sign == "\n"]
    for candidates in (ends, lines, range(1, len(passage.text))):
        end = _last_fitting(passage, candidates, budget)
        if end:
            return _until(passage, end)
    return None


def _last_fitting(passage: Passage, ends: Sequence[int], budget: int) -> int:
    """By bisection: a longer beginning never costs less."""
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high) // 2
        if cost_of([_until(passage, ends[middle])]) <= budget:
            low = middle + 1
        else:
            high = middle
    return ends[low - 1] if low else 0


def _until(passage: Passage, end: int) -> Passage:
    text = passage.text[:end].rstrip()
    return replace(passage, text=text, end=passage.start + len(text))
