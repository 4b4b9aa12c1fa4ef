"""XLSX: every sheet a section, its rows under the names of their columns; values, not formulas.

Read row by row: a cell far away from all others costs nothing, and a large workbook no memory.
"""

import datetime as dt
import logging
import warnings
import zipfile
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook import Workbook

from knowledge.extraction.archives import check_archive
from knowledge.extraction.reasons import DAMAGED, ExtractionFailed
from knowledge.extraction.tables import add_table
from knowledge.extraction.text_builder import TextBuilder
from knowledge.types import BlockKind, Extracted

_BROKEN = (
    InvalidFileException, zipfile.BadZipFile, SyntaxError, KeyError, ValueError, TypeError,
    AttributeError, IndexError, EOFError, OverflowError,
)  # fmt: skip
MOST_ROWS = 1_048_576  # what programs can show: numbers of rows may lie
_MIDNIGHT = dt.time()
_DIGITS = 12  # a sum of prices is no 0.30000000000000004


def extract_xlsx(path: Path) -> Extracted:
    check_archive(path)
    logging.getLogger("openpyxl").setLevel(logging.CRITICAL)
    builder = TextBuilder()
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what it leaves out: pictures, validations
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            _read(book, builder)
            return builder.extracted((book.properties.title or "").strip())
    except _BROKEN as error:
        raise ExtractionFailed(DAMAGED) from error


def _read(book: Workbook, builder: TextBuilder) -> None:
    """Sheets that the workbook hides are left out, as a reader of it does not see them."""
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            continue
        sheet.reset_dimensions()  # what the file says of its size may be wrong
        rows = (row for row in _rows(sheet) if any(cell.strip() for cell in row))
        first = next(rows, None)
        if first is not None:
            builder.add(BlockKind.HEADING, sheet.title, level=1)
            add_table(builder, chain([first], rows))


def _rows(sheet: Any) -> Iterator[list[str]]:
    for row in islice(sheet.rows, MOST_ROWS):
        if row:
            yield [_written(cell) for cell in row]


def _written(cell: Any) -> str:
    """A value as a reader of the sheet knows it."""
    value = cell.value
    match value:
        case None:
            return ""
        case bool():
            return str(value).upper()
        case float() | int():
            share = "%" in (cell.number_format or "")
            return f"{_number(value * 100)}%" if share else _number(value)
        case dt.datetime():
            return _moment(value)
        case _:
            return str(value)


def _moment(value: dt.datetime) -> str:
    if value.time() == _MIDNIGHT:
        return value.date().isoformat()
    return value.isoformat(" ", "seconds" if value.second else "minutes")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.{_DIGITS}g}"
