"""A document's extracted text as blocks a person can read, one stretch of it marked.

Pure: offsets in, values out. Passages cover the body of the text; what lies between two passages
are the headings of the second, so no other record of the layout is needed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

PART = 60_000  # characters shown on one page, about
SLACK = 4_000  # how far a part may reach beyond that to end at a line's end
_STANZA = re.compile(r"\S(?:[^\n]|\n(?!\s*\n))*")
_LINE = re.compile(r"[^\n]*\S[^\n]*")

Span = tuple[int, int]


class Placed(Protocol):
    """What is read of a passage."""

    position: int
    heading_path: list[str]
    start: int
    end: int
    page: int | None


@dataclass(frozen=True, slots=True)
class Run:
    """Some text of a block; `is_first` on the first marked run of the document.

    `names` and `href` are how its file shows it (`knowledge.layout`).
    """

    text: str
    is_marked: bool = False
    is_first: bool = False
    names: frozenset[str] = frozenset()
    href: str = ""


@dataclass(frozen=True, slots=True)
class TextBlock:
    """A heading (`level` 2 to 6) or a paragraph (`level` 0); `page` only where one begins."""

    runs: tuple[Run, ...]
    level: int = 0
    page: int | None = None
    position: int | None = None


def find_parts(text: str) -> list[Span]:
    """Cuts a long text into parts that end where a line ends; a short one is one part."""
    parts: list[Span] = []
    start = 0
    while len(text) - start > PART + SLACK:
        at = text.find("\n", start + PART, start + PART + SLACK)
        end = at + 1 if at >= 0 else start + PART
        parts.append((start, end))
        start = end
    parts.append((start, len(text)))
    return parts


def part_of(parts: Sequence[Span], offset: int) -> int:
    """The index of the part that holds `offset`; the last one for an offset beyond the text."""
    return next((n for n, (_, end) in enumerate(parts) if offset < end), len(parts) - 1)


def lay_out(
    text: str, passages: Iterable[Placed], part: Span, marked: Sequence[Span] = ()
) -> list[TextBlock]:
    """The blocks of `part`, in order; their runs, joined, hold every visible character of it."""
    blocks: list[TextBlock] = []
    at, page, level = part[0], None, 1
    for passage in passages:
        start, end = max(passage.start, at), min(passage.end, part[1])
        gap = [*_headings(text, at, min(start, part[1]), passage.heading_path)]
        body = [(span, 0) for span in _spans(_STANZA, text, start, end)]
        if len(body) == 1 and (own := _level(text, body[0][0], passage.heading_path)):
            body = [(body[0][0], own)]
        for span, wanted in [*gap, *body]:
            level = min(wanted, level + 1) if wanted else level
            begins = passage.page if passage.page != page else None
            page = passage.page
            runs = _runs(text, span, marked)
            blocks.append(TextBlock(runs, level if wanted else 0, begins, passage.position))
        at = max(at, end)
    rest = _spans(_STANZA, text, at, part[1])
    blocks += [TextBlock(_runs(text, span, marked)) for span in rest]
    return blocks


def _headings(text: str, start: int, end: int, path: Sequence[str]) -> Iterator[tuple[Span, int]]:
    for span in _spans(_LINE, text, start, end):
        yield span, _level(text, span, path)


def _level(text: str, span: Span, path: Sequence[str]) -> int:
    """The heading level (2 to 6) of a line that the path names; 0 for any other."""
    line = " ".join(text[slice(*span)].strip(" #").split())
    return min(path.index(line) + 2, 6) if line in path else 0


def _spans(pattern: re.Pattern[str], text: str, start: int, end: int) -> Iterator[Span]:
    for found in pattern.finditer(text, start, max(start, end)):
        stop = found.start() + len(found.group().rstrip())
        yield found.start(), stop


def _runs(text: str, span: Span, marked: Sequence[Span]) -> tuple[Run, ...]:
    start, end = span
    runs: list[Run] = []
    at = start
    for first, last in sorted(marked):
        low, high = max(at, first), min(end, last)
        if low < high:
            is_first = not any(text[a:low].strip() for a, _ in marked if a < low)
            runs += [Run(text[at:low]), Run(text[low:high], is_marked=True, is_first=is_first)]
            at = high
    runs.append(Run(text[at:end]))
    return tuple(run for run in runs if run.text)
