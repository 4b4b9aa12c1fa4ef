"""Rows to text: one line for each, its cells between bars, under the names of the columns.

A table may have a million rows: it becomes blocks of some thousand characters, and each of them
knows where the row that names its columns stands.
"""

import re
from collections.abc import Iterable, Sequence

from knowledge.extraction.styled import Styled
from knowledge.extraction.text_builder import TextBuilder
from knowledge.types import GRID, NO_HEAD, SEPARATOR, BlockKind

PART = 40_000  # characters of one block
_BAR = re.compile(r"\s*\|\s*")
LONGEST_CELL = 50_000  # characters; a spreadsheet's holds 32,767


def add_table(
    builder: TextBuilder, rows: Iterable[Sequence[str]], *, page: int | None = None
) -> None:
    """Append the rows that hold anything; the first one names the columns.

    Lines above the table that have one cell alone are what they look like: paragraphs.
    """
    head = ""
    above: list[str] = []
    width = 0
    rows = iter(rows)
    for row in rows:
        line = line_of(row)
        if SEPARATOR in line:
            head = line
            width = line.count(SEPARATOR) + 1
            break
        above.append(line)
    above = [line for line in above if line]
    if not head:
        _add_column(builder, above, page)
        return
    for line in above:
        builder.add(BlockKind.PARAGRAPH, line, page=page)
    lines = (line_of(row, width) for row in rows)
    _Part(builder, page).add_all(head, filter(None, lines))


def line_of(cells: Sequence[str], width: int | None = None) -> str:
    """The cells of a row in one line; nothing where all are empty.

    Beyond the last column that has a name, no place is kept for empty cells: one that is far away
    from all others would be behind thousands. Bars inside a cell stand without spaces, so that
    those between cells can be told from them.
    """
    if width is not None and len(cells) > width:
        cells = [*cells[:width], *(cell for cell in cells[width:] if cell.strip())]
    texts = (_BAR.sub("|", " ".join(_bounded(cell).split())) for cell in cells)
    line = SEPARATOR.join(texts)
    return line.rstrip(" |") if line.strip(" |") else ""


def _bounded(cell: str) -> str:
    """The cell; of one without end its beginning, and that the rest was left out."""
    if len(cell) <= LONGEST_CELL:
        return cell
    return f"{cell[:LONGEST_CELL]} [… {len(cell) - LONGEST_CELL:,}]"


def _add_column(builder: TextBuilder, lines: Sequence[str], page: int | None) -> None:
    """A table of one column is a list of lines."""
    for start in range(0, len(lines), 500):
        builder.add(BlockKind.LIST, "\n".join(lines[start : start + 500]), page=page)


class _Part:
    """The block that is being filled."""

    def __init__(self, builder: TextBuilder, page: int | None) -> None:
        self._builder = builder
        self._page = page
        self._lines: list[str] = []
        self._length = 0
        self._head = ""  # where the names of the columns stand: empty in the first block

    def add_all(self, head: str, lines: Iterable[str]) -> None:
        self._lines = [head]
        count = 0
        for count, line in enumerate(lines, 1):  # noqa: B007 - counted to the end
            self._lines.append(line)
            self._length += len(line)
            if self._length > PART:
                self._flush()
        if not count:
            self._head = NO_HEAD
        self._flush()

    def _flush(self) -> None:
        if not self._lines:
            return
        content = Styled()
        with content.within(GRID, self._head):
            content.add("\n".join(self._lines))
        self._builder.add(BlockKind.TABLE, content, page=self._page)
        if not self._head and len(self._lines) > 1:
            start = self._builder.blocks[-1].start
            self._head = f"{start}-{start + self._builder.last.index(chr(10))}"
        self._lines, self._length = [], 0
