"""PPTX: every slide a section of its title, with its lists, tables, pictures and notes."""

import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pptx
from lxml.etree import XMLSyntaxError
from pptx.enum.shapes import MSO_SHAPE_TYPE, PP_PLACEHOLDER
from pptx.exc import PythonPptxError
from pptx.slide import Slide
from pptx.table import Table
from pptx.text.text import TextFrame

from knowledge.extraction.archives import check_archive
from knowledge.extraction.figures import Figures
from knowledge.extraction.reasons import DAMAGED, TOO_MANY_PAGES, ExtractionFailed
from knowledge.extraction.styled import Styled
from knowledge.extraction.tables import add_table
from knowledge.extraction.text_builder import TextBuilder
from knowledge.types import BlockKind, Extracted

MAX_SLIDES = 5_000
DEEPEST = 10  # groups of shapes in groups
_BROKEN = (
    PythonPptxError, XMLSyntaxError, zipfile.BadZipFile, KeyError, ValueError, TypeError,
    AttributeError, IndexError, NotImplementedError, EOFError,
)  # fmt: skip
_TITLES = {PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE, PP_PLACEHOLDER.VERTICAL_TITLE}
_FURNITURE = {PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.SLIDE_NUMBER}
_LISTS = {PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT, PP_PLACEHOLDER.VERTICAL_BODY}


def extract_pptx(path: Path) -> Extracted:
    check_archive(path)
    try:
        deck = pptx.Presentation(BytesIO(path.read_bytes()))
        if len(deck.slides) > MAX_SLIDES:
            raise ExtractionFailed(TOO_MANY_PAGES)
        reader = _Reader()
        for number, slide in enumerate(deck.slides, 1):
            reader.read(slide, number)
        title = (deck.core_properties.title or "").strip()
    except _BROKEN as error:
        raise ExtractionFailed(DAMAGED) from error
    named = "" if title == "PowerPoint Presentation" else title
    return reader.builder.extracted(named, figures=reader.figures.drawn)


class _Reader:
    """A slide's number is the page of what stands on it."""

    def __init__(self) -> None:
        self.builder = TextBuilder()
        self.figures = Figures()

    def read(self, slide: Slide, number: int) -> None:
        """Slides that are not shown are read: their author kept them."""
        shapes = [*_shapes(slide.shapes)]
        title = next((s for s in shapes if _place(s) in _TITLES and s.has_text_frame), None)
        named = " ".join(title.text_frame.text.split()) if title is not None else ""
        self.builder.add(BlockKind.HEADING, named or f"{number}", level=1, page=number)
        for shape in shapes:
            if shape is not title and _place(shape) not in _FURNITURE:
                self._shape(shape, number)
        if slide.has_notes_slide and (notes := slide.notes_slide.notes_text_frame) is not None:
            content = Styled(notes.text.strip())
            content.note("quote")
            self.builder.add(BlockKind.PARAGRAPH, content, page=number)

    def _shape(self, shape: Any, number: int) -> None:
        if getattr(shape, "has_table", False):
            add_table(self.builder, _rows(shape.table), page=number)
        elif shape.has_text_frame:
            self._text(shape.text_frame, number, is_list=_place(shape) in _LISTS)
        elif shape.shape_type == MSO_SHAPE_TYPE.PICTURE or hasattr(shape, "image"):
            self._picture(shape, number)

    def _text(self, frame: TextFrame, number: int, *, is_list: bool) -> None:
        paragraphs = [p for p in frame.paragraphs if p.text.strip()]
        if not is_list or len(paragraphs) < 2:
            text = "\n".join(" ".join(p.text.split()) for p in paragraphs)
            self.builder.add(BlockKind.PARAGRAPH, text, page=number)
            return
        lines = []
        for paragraph in paragraphs:
            line = Styled(f"{'  ' * paragraph.level}- ")
            with line.within("item", f"{paragraph.level}:-"):
                line.add(" ".join(paragraph.text.split()))
            lines.append(line)
        self.builder.add(BlockKind.LIST, Styled.joined("\n", lines), page=number)

    def _picture(self, shape: Any, number: int) -> None:
        """One that lies in another file is never looked at."""
        try:
            data = shape.image.blob
        except (ValueError, KeyError, AttributeError):
            return
        content = Styled()
        self.figures.note(content, data, shape._element._nvXxPr.cNvPr.get("descr", ""))
        self.builder.add(BlockKind.PARAGRAPH, content, page=number)


def _shapes(shapes: Any, depth: int = 0) -> Iterator[Any]:
    """Those of groups too, in the order in which they are drawn."""
    for shape in shapes:
        if shape.shape_type == MSO_SHAPE_TYPE.GROUP:
            if depth < DEEPEST:
                yield from _shapes(shape.shapes, depth + 1)
        else:
            yield shape


def _place(shape: Any) -> Any:
    return shape.placeholder_format.type if shape.is_placeholder else None


def _rows(table: Table) -> Iterator[list[str]]:
    for row in table.rows:
        yield [cell.text for cell in row.cells if not cell.is_spanned]
