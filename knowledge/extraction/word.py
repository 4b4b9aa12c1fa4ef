"""DOCX: headings, paragraphs, lists and tables in the order of the document."""

import re
import zipfile
from pathlib import Path
from typing import Any

import docx
from docx.document import Document as WordDocument
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from docx.text.paragraph import Paragraph
from lxml.etree import XMLSyntaxError

from knowledge.extraction.reasons import BOMB, DAMAGED, DTD, ENCRYPTED, ExtractionFailed
from knowledge.extraction.text_builder import TextBuilder
from knowledge.types import BlockKind, Extracted

MAX_UNPACKED = 200 * 1024 * 1024
MAX_ENTRIES = 10_000
PIECE = 1024 * 1024

# A picture is no XML that is ever read, and drawings (SVG) often name their types.
_PICTURES = "word/media/"
_HEADING_STYLE = re.compile(r"heading\s*(\d)", re.IGNORECASE)
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def extract_docx(path: Path) -> Extracted:
    try:
        _check_archive(path)
        document = docx.Document(str(path))
    except (
        zipfile.BadZipFile,
        PackageNotFoundError,
        XMLSyntaxError,
        KeyError,
        ValueError,
        NotImplementedError,
        EOFError,
    ) as error:
        raise ExtractionFailed(DAMAGED) from error
    builder = TextBuilder()
    title = _read(document, builder)
    title = (document.core_properties.title or "").strip() or title
    return Extracted(title, builder.text, tuple(builder.blocks), invisible=builder.invisible)


def _check_archive(path: Path) -> None:
    """Refuse a bomb by counting what really unpacks, and any part that declares a DTD.

    Without its NUL bytes a declaration looks the same in UTF-8, UTF-16 and UTF-32.
    """
    unpacked = 0
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if len(entries) > MAX_ENTRIES:
            raise ExtractionFailed(BOMB)
        for entry in entries:
            if entry.flag_bits & 1:
                raise ExtractionFailed(ENCRYPTED)
            tail = b""
            with archive.open(entry) as part:
                while piece := part.read(PIECE):
                    unpacked += len(piece)
                    if unpacked > MAX_UNPACKED:
                        raise ExtractionFailed(BOMB)
                    if entry.filename.startswith(_PICTURES):
                        continue
                    text = tail + piece.translate(None, b"\0")
                    if b"<!DOCTYPE" in text:
                        raise ExtractionFailed(DTD)
                    tail = text[-8:]


def _read(document: WordDocument, builder: TextBuilder) -> str:
    """Add every block; return the text of the title paragraph."""
    title = ""
    items: list[str] = []
    for part in document.iter_inner_content():
        is_item = isinstance(part, Paragraph) and _is_list_item(part)
        if items and not is_item:
            builder.add(BlockKind.LIST, "\n".join(items))
            items = []
        if isinstance(part, Table):
            builder.add(BlockKind.TABLE, "\n".join(_rows(part)))
        elif is_item:
            if part.text.strip():
                items.append(f"- {part.text.strip()}")
        elif level := _heading_level(part):
            builder.add(BlockKind.HEADING, part.text, level=level)
            title = title or (part.text.strip() if level == 1 else "")
        else:
            builder.add(BlockKind.PARAGRAPH, part.text)
    if items:
        builder.add(BlockKind.LIST, "\n".join(items))
    return title


def _style_name(paragraph: Paragraph) -> str:
    style: Any = paragraph.style
    return str(style.name or "") if style is not None else ""


def _heading_level(paragraph: Paragraph) -> int:
    """1 to 9, or 0; localised templates name their styles otherwise but keep the outline level."""
    name = _style_name(paragraph)
    if name == "Title":
        return 1
    if found := _HEADING_STYLE.match(name):
        return int(found[1])
    style: Any = paragraph.style
    elements = [paragraph._p] + ([style.element] if style is not None else [])
    for element in elements:
        outline = element.find(f"{_W}pPr/{_W}outlineLvl")
        if outline is not None and (level := int(outline.get(f"{_W}val", "9"))) < 9:
            return level + 1
    return 0


def _is_list_item(paragraph: Paragraph) -> bool:
    if _heading_level(paragraph):
        return False
    if _style_name(paragraph).startswith("List"):
        return True
    return paragraph._p.find(f"{_W}pPr/{_W}numPr") is not None


def _rows(table: Table) -> list[str]:
    rows = []
    for row in table.rows:
        cells: list[str] = []
        seen: set[int] = set()
        for cell in row.cells:
            # A merged cell is handed out once for each column it spans.
            if id(cell._tc) not in seen:
                seen.add(id(cell._tc))
                cells.append(" ".join(cell.text.split()))
        if any(cells):
            rows.append(" | ".join(cells))
    return rows
