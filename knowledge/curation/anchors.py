"""Where a stretch of text is now: by its own words, and by those around it where they repeat.

Pure: nothing here knows of documents.
"""

import re
from dataclasses import asdict, dataclass
from typing import Any, Self

AROUND = 120  # characters kept on either side
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Anchor:
    """A quoted stretch, what stood around it, and where it began when it was seen last."""

    quote: str
    before: str = ""
    after: str = ""
    start: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def parse(cls, data: dict[str, Any]) -> Self:
        return cls(**data)


def anchor_of(text: str, span: Span) -> Anchor:
    start, end = span
    return Anchor(
        text[start:end], text[max(0, start - AROUND) : start], text[end : end + AROUND], start
    )


def find_anchor(text: str, anchor: Anchor) -> Span | None:
    """The stretch of `text` that the anchor means; None where its words are not there any more.

    Among several the one with the same surroundings, and then the one nearest to the old place.
    White space may differ.
    """
    here = anchor.start, anchor.start + len(anchor.quote)
    if _agreement(text, here, anchor) == len(anchor.before) + len(anchor.after) and (
        text[slice(*here)] == anchor.quote
    ):
        return here
    words = anchor.quote.split()
    if not words:
        return None
    pattern = re.compile(r"\s+".join(map(re.escape, words)))
    spans = [found.span() for found in pattern.finditer(text)]
    return max(
        spans,
        key=lambda span: (_agreement(text, span, anchor), -abs(span[0] - anchor.start)),
        default=None,
    )


def _agreement(text: str, span: Span, anchor: Anchor) -> int:
    """How many characters around the span are the same as those around the anchor."""
    before = text[max(0, span[0] - len(anchor.before)) : span[0]]
    after = text[span[1] : span[1] + len(anchor.after)]
    return _shared(before[::-1], anchor.before[::-1]) + _shared(after, anchor.after)


def _shared(one: str, other: str) -> int:
    same = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        same += 1
    return same
