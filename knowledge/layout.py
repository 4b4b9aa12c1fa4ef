"""How a document's extracted text looked in its file: headings, lists, tables, emphasis, links.

Pure. A layout only says what stretches of the text are; every word that is shown is cut out of the
stored text, so that the place of a passage in it needs no search and holds no markup.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from knowledge.reading import Run, Span
from knowledge.table_heads import grid_rows
from knowledge.types import FIGURE, GRID, Block, BlockKind, Extracted, FigureMark, Mark

INLINE = frozenset({"b", "i", "s", "code", "a", "soft", "picture"})
SCHEMES = ("https://", "http://", "mailto:")  # of links that may be opened; others are plain text
DEEPEST = 6  # of list items, as they are indented


@dataclass(frozen=True, slots=True)
class Item:
    """A list item: how deep it lies, and what stands before it."""

    depth: int
    marker: str
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    is_header: bool
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One of a program; `number` is counted in its file."""

    number: int
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class ShownBlock:
    """One block as it is drawn."""

    kind: str
    level: int = 0
    is_quote: bool = False
    runs: tuple[Run, ...] = ()
    items: list[Item] = field(default_factory=list)
    rows: list[list[Cell]] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    before: list[FigureMark] = field(default_factory=list)  # pictures
    after: list[FigureMark] = field(default_factory=list)


def pack(extracted: Extracted) -> list[Any] | None:
    """Blocks as they are stored; None for a file that is shown by its pages."""
    if extracted.page_count is not None:
        return None
    return [
        [
            block.kind.value, block.start, block.end, block.level,
            [[mark.start, mark.end, mark.name, mark.value] for mark in block.marks],
            *([block.line] if block.line else []),
        ]
        for block in extracted.blocks
    ]  # fmt: skip


def unpack(layout: Iterable[Any]) -> list[Block]:
    return [
        Block(BlockKind(kind), start, end, level, None, tuple(Mark(*mark) for mark in marks), *line)
        for kind, start, end, level, marks, *line in layout
    ]


def draw(
    text: str, blocks: Iterable[Block], part: Span, marked: Sequence[Span] = ()
) -> list[ShownBlock]:
    """The blocks of `part` as they are shown, the characters of `marked` in marked runs."""
    shown: list[ShownBlock] = []
    level = 1
    pen = _Pen(text, part, marked)
    for block in blocks:
        if block.end <= part[0] or block.start >= part[1]:
            continue
        level = min(block.level + 1, level + 1, 6) if block.level else level
        found = _shown(pen, block, level if block.level else 0)
        if found.lines and shown and shown[-1].lines:
            _go_on(shown[-1].lines, found.lines)
        else:
            shown.append(found)
    return shown


def _go_on(lines: list[Line], more: Sequence[Line]) -> None:
    """Parts of a program are one text, with the empty lines between them."""
    lines += [Line(number, ()) for number in range(lines[-1].number + 1, more[0].number)]
    lines += more


def _shown(pen: "_Pen", block: Block, level: int) -> ShownBlock:
    inline = sorted(
        (mark for mark in block.marks if mark.name in INLINE), key=lambda mark: mark.start
    )
    quoted = any(mark.name == "quote" for mark in block.marks)
    items: list[Item] = []
    rows: dict[str, list[Cell]] = {}
    for mark in block.marks:
        if mark.end < pen.part[0] or mark.start >= pen.part[1]:
            continue
        inner = (mark.start, mark.end)
        if mark.name == "item":
            depth, _, marker = mark.value.partition(":")
            items.append(Item(min(int(depth), DEEPEST), marker, pen.runs(inner, inline)))
        elif mark.name == "cell":
            row, _, head = mark.value.partition(":")
            rows.setdefault(row, []).append(Cell(bool(head), pen.runs(inner, inline)))
    table = list(rows.values()) or _grid(pen, block)
    lines = _lines(pen, block) if block.line is not None else []
    before, after = _figures(block, pen.part)
    runs = () if items or table or lines else pen.runs((block.start, block.end), inline)
    rest = (items, table, lines, before, after)
    return ShownBlock(block.kind.value, level, quoted, runs, *rest)


def _grid(pen: "_Pen", block: Block) -> list[list[Cell]]:
    """Rows of a table whose cells stand between bars."""
    if not any(mark.name == GRID for mark in block.marks):
        return []
    rows = grid_rows(pen.text, block, pen.part)
    return [[Cell(is_head, pen.whole(cell)) for cell in cells] for is_head, cells in rows]


def _lines(pen: "_Pen", block: Block) -> list[Line]:
    """Those that begin in the part, whole."""
    lines: list[Line] = []
    at = block.start
    for number, text in enumerate(pen.text[block.start : block.end].split("\n"), block.line or 1):
        if pen.part[0] <= at < pen.part[1]:
            lines.append(Line(number, pen.whole((at, at + len(text)))))
        at += len(text) + 1
    return lines


def _figures(block: Block, part: Span) -> tuple[list[FigureMark], list[FigureMark]]:
    """The pictures that stand before the first word of the block, and the others."""
    before: list[FigureMark] = []
    after: list[FigureMark] = []
    for mark in block.marks:
        is_here = part[0] <= mark.start < part[1] or mark.start == block.end == part[1]
        if mark.name == FIGURE and is_here:
            side = before if mark.start == block.start else after
            side.append(FigureMark.parse(mark.value))
    return before, after


class _Pen:
    """Cuts stretches of the text into runs of one look each."""

    def __init__(self, text: str, part: Span, marked: Sequence[Span]) -> None:
        self.text = text
        self.part = part
        self._marked = sorted(marked)
        self._has_first = False

    def whole(self, span: Span) -> tuple[Run, ...]:
        """The plain runs of `span`, also where it reaches beyond the part."""
        return self._cut(*span, ())

    def runs(self, span: Span, inline: Sequence[Mark]) -> tuple[Run, ...]:
        """The runs of `span`; `inline` are the marks of its block in the order of their start."""
        low = bisect_left(inline, span[0], key=lambda mark: mark.start)
        high = bisect_left(inline, span[1], lo=low, key=lambda mark: mark.start)
        start, end = max(span[0], self.part[0]), min(span[1], self.part[1])
        return self._cut(start, end, inline[low:high])

    def _cut(self, start: int, end: int, looks: Sequence[Mark]) -> tuple[Run, ...]:
        edges = {at for mark in looks for at in (mark.start, mark.end)}
        edges.update(at for marked in self._marked for at in marked)
        places = [start, *sorted(at for at in edges if start < at < end), end]
        runs: list[Run] = []
        active: list[Mark] = []
        ahead = 0
        for here, there in pairwise(places):
            while ahead < len(looks) and looks[ahead].start <= here:
                active.append(looks[ahead])
                ahead += 1
            active = [mark for mark in active if mark.end > here]
            if here < there:
                runs.append(self._run(here, there, active))
        return tuple(runs)

    def _run(self, start: int, end: int, looks: Sequence[Mark]) -> Run:
        names = frozenset(mark.name for mark in looks)
        links = [mark.value for mark in looks if mark.name == "a" and is_link(mark.value)]
        is_marked = any(low <= start and end <= high for low, high in self._marked)
        is_first = is_marked and not self._has_first
        self._has_first |= is_marked
        text = self.text[start:end]
        if "soft" in names:
            text = " " if self.text[start - 1 : start].isascii() else ""
        return Run(text, is_marked, is_first, names, links[-1] if links else "")


def is_link(address: str) -> bool:
    return address.lower().startswith(SCHEMES)
