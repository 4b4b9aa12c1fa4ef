"""Tables for spreadsheets: CSV in which no cell is a formula."""

import csv
from collections.abc import Iterable, Iterator, Sequence

# A spreadsheet computes what begins so, and what follows a tab or a line end it skipped.
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class _Line:
    def write(self, text: str) -> str:
        return text


def csv_lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """The rows as lines of CSV (RFC 4180), made one by one; numbers stay numbers.

    Text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    writer = csv.writer(_Line())
    for row in rows:
        yield writer.writerow([_cell(value) for value in row])


def _cell(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return f"'{text}" if text.lstrip(" \ufeff\u200b").startswith(STARTS) else text
