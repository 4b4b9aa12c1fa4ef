"""CSV and TSV: rows with the names of their columns, whatever stands between the cells."""

import csv
from collections.abc import Iterator
from pathlib import Path

from knowledge.extraction.decoding import decode
from knowledge.extraction.reasons import DAMAGED, ExtractionFailed
from knowledge.extraction.tables import add_table
from knowledge.extraction.text_builder import TextBuilder
from knowledge.types import Extracted

DELIMITERS = ",;\t|"
SAMPLE = 20  # lines that tell what stands between the cells
LONGEST = 100_000  # characters of all of them


def extract_csv(path: Path) -> Extracted:
    text = decode(path.read_bytes()).replace("\0", "")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    builder = TextBuilder()
    try:
        add_table(builder, _rows(text))
    except csv.Error as error:
        raise ExtractionFailed(DAMAGED) from error
    return builder.extracted()


def _rows(text: str) -> Iterator[list[str]]:
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))  # of the whole process
    head, _, rest = text.partition("\n")
    if head.startswith("sep=") and len(head) == len("sep=,"):  # Excel's own hint
        return csv.reader(_lines(rest), delimiter=head[4])
    return csv.reader(_lines(text), delimiter=_delimiter(text))


def _lines(text: str) -> Iterator[str]:
    """One after the other; `csv` joins those of a cell in quotes again."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _delimiter(text: str) -> str:
    """What parts the first lines into the same number of cells, the more the better."""

    def fitness(delimiter: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(sample, delimiter=delimiter) if row]
        usual = max(widths, key=widths.count, default=1)
        return (widths.count(usual) if usual > 1 else 0), usual

    sample = [line for line, _ in zip(_lines(text[:LONGEST]), range(SAMPLE), strict=False)]
    return max(DELIMITERS, key=fitness)
