"""Glossaries as CSV: a line is an entry, its cells are the words for one thing."""

import csv
import io
from collections.abc import Iterable, Iterator

from django.utils.translation import gettext as _

from knowledge.glossary.errors import GlossaryRefused
from knowledge.models import GlossaryEntry
from security.tables import STARTS, csv_lines

MOST_BYTES = 1024 * 1024
# Spreadsheets of Chinese systems save CSV so where they do not as UTF-8.
ENCODINGS = ("utf-8-sig", "gb18030")
DELIMITERS = ",;\t"
HEADS = frozenset(
    {"term", "terms", "word", "words", "english", "chinese", "词", "詞", "中文", "英文"}
)


def read_rows(data: bytes) -> list[list[str]]:
    """The rows of a file; raises GlossaryRefused for what is no table."""
    if not data:
        raise GlossaryRefused(_("Choose a CSV file with entries first."))
    if len(data) > MOST_BYTES:
        raise GlossaryRefused(_("The file is larger than 1 MB."))
    text = _decoded(data)
    if "\0" in text:
        raise GlossaryRefused(_("This is no CSV file."))
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error:
        raise GlossaryRefused(_("This is no CSV file.")) from None
    if rows and all(cell.strip().lower() in HEADS for cell in rows[0] if cell.strip()):
        rows = rows[1:]
    return [[_unquoted(cell) for cell in row] for row in rows]


def _decoded(data: bytes) -> str:
    for encoding in ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise GlossaryRefused(_("The text of this file cannot be read. Save it as UTF-8."))


def _unquoted(cell: str) -> str:
    """Without the apostrophe that keeps a spreadsheet from computing it."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(STARTS) else cell


def write_rows(entries: Iterable[GlossaryEntry]) -> Iterator[str]:
    return csv_lines(entry.terms for entry in entries)
