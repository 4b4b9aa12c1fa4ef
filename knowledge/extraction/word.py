"""DOCX: headings, paragraphs, lists and tables in the order of the document."""

import re
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
from docx.document import Document as WordDocument
from docx.opc.exceptions import PackageNotFoundError
from docx.table import Table
from docx.text.hyperlink import Hyperlink
from docx.text.paragraph import Paragraph
from docx.text.run import Run
from lxml.etree import XMLSyntaxError

from knowledge.extraction.archives import check_archive
from knowledge.extraction.figures import Figures
from knowledge.extraction.reasons import DAMAGED, ExtractionFailed
from knowledge.extraction.styled import Styled
from knowledge.extraction.text_builder import TextBuilder
from knowledge.types import BlockKind, Extracted

_PICTURES = "word/media/"
QUOTES = frozenset({"Quote", "Intense Quote"})
_LIST_STYLE = re.compile(r"List \w+ ([2-5])$")
_HEADING_STYLE = re.compile(r"heading\s*(\d)", re.IGNORECASE)
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"


def extract_docx(path: Path) -> Extracted:
    check_archive(path)
    try:
        document = docx.Document(BytesIO(path.read_bytes()))
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
    pictures = _Pictures(document)
    title = _read(document, builder, pictures)
    title = (document.core_properties.title or "").strip() or title
    return builder.extracted(title, figures=pictures.figures.drawn)


class _Pictures:
    """The pictures that are in the file itself; what it links to elsewhere is never looked at."""

    def __init__(self, document: WordDocument) -> None:
        self.figures = Figures()
        self._parts = document.part.related_parts

    def note(self, content: Styled, element: Any) -> None:
        """Those of a paragraph or table stand behind its text."""
        for drawing in element.iter(f"{_WP}inline", f"{_WP}anchor"):
            told = drawing.find(f"{_WP}docPr")
            alt = told.get("descr", "") if told is not None else ""
            for blip in drawing.iter(f"{_A}blip"):
                part = self._parts.get(blip.get(f"{_R}embed", ""))
                if part is not None and str(part.partname).startswith(f"/{_PICTURES}"):
                    self.figures.note(content, part.blob, alt)


def _read(document: WordDocument, builder: TextBuilder, pictures: _Pictures) -> str:
    """Add every block; return the text of the title paragraph."""
    title = ""
    items = _Items(pictures)
    for part in document.iter_inner_content():
        is_item = isinstance(part, Paragraph) and _is_list_item(part)
        if not is_item:
            builder.add(BlockKind.LIST, items.take())
        if isinstance(part, Table):
            content = Styled.joined("\n", _rows(part))
            pictures.note(content, part._tbl)
            builder.add(BlockKind.TABLE, content)
        elif is_item:
            items.add(part)
        elif level := _heading_level(part):
            builder.add(BlockKind.HEADING, _styled(part, pictures), level=level)
            title = title or (part.text.strip() if level == 1 else "")
        else:
            content = _styled(part, pictures)
            if _style_name(part) in QUOTES:
                content.note("quote")
            builder.add(BlockKind.PARAGRAPH, content)
    builder.add(BlockKind.LIST, items.take())
    return title


class _Items:
    """The items of the list that is being read; numbered ones are counted at each depth."""

    def __init__(self, pictures: _Pictures) -> None:
        self._pictures = pictures
        self._lines: list[Styled] = []
        self._counts: dict[int, int] = {}

    def add(self, paragraph: Paragraph) -> None:
        content = _styled(paragraph, self._pictures)
        content = content.retold(content.text.strip())
        if not content.text:
            return
        depth = _list_depth(paragraph)
        self._counts = {at: count for at, count in self._counts.items() if at <= depth}
        self._counts[depth] = self._counts.get(depth, 0) + 1
        is_numbered = _style_name(paragraph).startswith("List Number")
        marker = f"{self._counts[depth]}." if is_numbered else "-"
        line = Styled("- ")
        with line.within("item", f"{depth}:{marker}"):
            line.append(content)
        self._lines.append(line)

    def take(self) -> Styled:
        lines, self._lines, self._counts = self._lines, [], {}
        return Styled.joined("\n", lines)


def _styled(paragraph: Paragraph, pictures: _Pictures) -> Styled:
    """What `paragraph.text` says, with its emphasis and links; pictures stand behind it."""
    content = Styled()
    for part in paragraph.iter_inner_content():
        if isinstance(part, Hyperlink):
            with content.within("a", _address(part)):
                for run in part.runs:
                    _add_run(content, run)
        else:
            _add_run(content, part)
    if content.text != paragraph.text:
        content = Styled(paragraph.text)
    pictures.note(content, paragraph._p)
    return content


def _add_run(content: Styled, run: Run) -> None:
    looks = {"b": run.bold, "i": run.italic, "s": run.font.strike}
    names = [name for name, is_set in looks.items() if is_set]
    for name in names:
        content.begin(name)
    content.add(run.text)
    for _ in names:
        content.end()


def _address(link: Hyperlink) -> str:
    try:
        return link.url
    except (KeyError, ValueError):
        return ""


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


def _list_depth(paragraph: Paragraph) -> int:
    """0 for the outermost list: from its numbering, or from a style such as List Bullet 2."""
    level = paragraph._p.find(f"{_W}pPr/{_W}numPr/{_W}ilvl")
    value = level.get(f"{_W}val", "") if level is not None else ""
    if value.isdecimal():
        return min(int(value), 8)
    found = _LIST_STYLE.search(_style_name(paragraph))
    return int(found[1]) - 1 if found else 0


def _rows(table: Table) -> list[Styled]:
    rows = []
    for number, row in enumerate(table.rows):
        cells: list[Styled] = []
        seen: set[int] = set()
        for cell in row.cells:
            # A merged cell is handed out once for each column it spans.
            if id(cell._tc) not in seen:
                seen.add(id(cell._tc))
                content = Styled()
                with content.within("cell", str(number) if number else "0:h"):
                    content.add(" ".join(cell.text.split()))
                cells.append(content)
        if any(cell.text for cell in cells):
            rows.append(Styled.joined(" | ", cells))
    return rows
