"""IPYNB: the cells of a notebook in their order; of what they put out, the text."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from knowledge.extraction.json_files import load_json
from knowledge.extraction.markdown import read_markdown
from knowledge.extraction.reasons import DAMAGED, ExtractionFailed
from knowledge.extraction.text_builder import TextBuilder
from knowledge.types import BlockKind, Extracted

LONGEST_OUTPUT = 20_000  # characters: what is longer are data, and the cell says how to get them
_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_TEXTS = ("text/markdown", "text/plain")


def extract_ipynb(path: Path) -> Extracted:
    """Raises `ExtractionFailed` for JSON that is no notebook."""
    book = load_json(path.read_bytes())
    cells = _cells(book)
    builder = TextBuilder()
    title = ""
    for cell in cells:
        source = _joined(cell.get("source", cell.get("input", "")))
        match cell.get("cell_type"):
            case "markdown":
                title = read_markdown(source, builder) or title
            case "heading":  # before version 4
                builder.add(BlockKind.HEADING, source, level=min(int(cell.get("level", 1)), 6))
            case "code":
                builder.add(BlockKind.CODE, source)
                for text in _outputs(cell):
                    builder.add(BlockKind.CODE, text[:LONGEST_OUTPUT])
            case _:
                builder.add(BlockKind.PARAGRAPH, source)
    return builder.extracted(title)


def _cells(book: Any) -> list[dict[str, Any]]:
    if not isinstance(book, dict):
        raise ExtractionFailed(DAMAGED)
    sheets = book.get("worksheets") or []  # version 3 has its cells in sheets
    found = book.get("cells") or [cell for sheet in sheets for cell in sheet["cells"]]
    if not isinstance(found, list) or not all(isinstance(cell, dict) for cell in found):
        raise ExtractionFailed(DAMAGED)
    return found


def _outputs(cell: dict[str, Any]) -> Iterator[str]:
    """Streams, values and errors as they are read; pictures and pages are left out."""
    for output in cell.get("outputs", []):
        match output.get("output_type"):
            case "stream":
                yield _plain(output.get("text", ""))
            case "error" | "pyerr":
                yield f"{output.get('ename', '')}: {output.get('evalue', '')}"
            case _:
                data = output.get("data", output)
                kind = next((kind for kind in _TEXTS if kind in data), "text")
                yield _plain(data.get(kind, ""))


def _plain(text: Any) -> str:
    return _COLOURS.sub("", _joined(text))


def _joined(lines: Any) -> str:
    """Text is a string, or a list of lines with their ends."""
    return "".join(map(str, lines)) if isinstance(lines, list) else str(lines)
