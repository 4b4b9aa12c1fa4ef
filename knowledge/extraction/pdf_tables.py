"""The tables of PDF pages, found by the lines that are drawn between their cells.

pdfplumber finds them (after A. Nurminen, "Algorithmic extraction of data in tables in PDF
documents", 2013). It reads a page much slower than pypdf, so that only pages are shown to it on
which lines are drawn, and neither maps nor drawings. What is no table stays text as it was.
"""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import pypdf

Box = tuple[float, float, float, float]  # left, top, right, bottom
Rows = tuple[tuple[str, ...], ...]
Part = list[str] | Rows  # lines of text, or a table

FEWEST_LINES, MOST_LINES = 4, 4_000  # of a page that may have a table
MOST_PAGES = 400  # of a file that are read so
FULL = 0.4  # of the cells of a table hold words: those of a chart do not
KEPT = 0.95  # of the letters of a page must be there again, and hardly more than there were
SECONDS = 30  # of a processor, for all pages of a file

_RULE = re.compile(rb"(?<![^\s])(?:re|l)(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Table:
    """Where it and its cells stand on their page, and what these say."""

    box: Box
    cells: tuple[Box, ...]
    rows: Rows

    def holds(self, char: Any) -> bool:
        """Whether a cell does: in the corner of a table without one stand words of the page."""
        across, down = (char["x0"] + char["x1"]) / 2, (char["top"] + char["bottom"]) / 2
        return any(_is_in(across, down, cell) for cell in self.cells)


def ruled_pages(pages: Sequence[pypdf.PageObject]) -> list[int]:
    """The numbers of those on which lines or boxes are drawn, the first few of them."""
    return [number for number, page in enumerate(pages, 1) if _is_ruled(page)][:MOST_PAGES]


def read_tables(file: bytes, numbers: Sequence[int]) -> Iterator[tuple[int, list[Part]]]:
    """Of these pages those that have tables: what they say from top to bottom.

    Raises what pdfminer makes of malformed files.
    """
    if not numbers:
        return
    import pdfplumber  # noqa: PLC0415 - slow to load, and few files have tables

    until = time.process_time() + SECONDS
    with pdfplumber.open(BytesIO(file), pages=list(numbers)) as opened:
        for page in opened.pages:
            if time.process_time() > until:
                return
            if len(page.edges) <= MOST_LINES and (tables := [*_tables(page)]):
                yield page.page_number, [*_parts(page, tables)]
            page.close()


def _is_ruled(page: pypdf.PageObject) -> bool:
    content = page.get_contents()
    if content is None:
        return False
    return FEWEST_LINES <= len(_RULE.findall(content.get_data())) <= MOST_LINES


def _tables(page: Any) -> Iterator[Table]:
    """Those of a page from top to bottom; what stands in a cell of another is that cell's words."""
    every = page.find_tables()
    for found in sorted(every, key=lambda table: table.bbox[1]):
        if any(one is not found and _is_within(found.bbox, one.bbox) for one in every):
            continue
        rows = tuple(tuple(cell or "" for cell in row) for row in found.extract())
        if _is_table(rows):
            yield Table(found.bbox, tuple(found.cells), rows)


def _is_in(across: float, down: float, box: Box) -> bool:
    left, top, right, bottom = box
    return left <= across <= right and top <= down <= bottom


def _is_within(inner: Box, outer: Box) -> bool:
    return _is_in(*inner[:2], outer) and _is_in(*inner[2:], outer)


def _is_table(rows: Rows) -> bool:
    cells = [cell for row in rows for cell in row]
    full = sum(bool(cell.strip()) for cell in cells)
    columns = {n for row in rows for n, cell in enumerate(row) if cell.strip()}
    return len(rows) > 1 and len(columns) > 1 and full >= FULL * len(cells)


def _parts(page: Any, tables: Sequence[Table]) -> Iterator[Part]:
    above = float("-inf")
    for table in tables:
        yield from _text(page, tables, above, table.box[1])
        yield table.rows
        above = table.box[1]
    yield from _text(page, tables, above, float("inf"))


def _text(page: Any, tables: Sequence[Table], above: float, below: float) -> Iterable[list[str]]:
    """The lines between two heights, of whatever is in no table."""

    def belongs(thing: Any) -> bool:
        if thing["object_type"] != "char":
            return False
        down = (thing["top"] + thing["bottom"]) / 2
        return above <= down < below and not any(table.holds(thing) for table in tables)

    text = page.filter(belongs).extract_text()
    return [text.split("\n")] if text.strip() else []
