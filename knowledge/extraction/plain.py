"""Plain text: paragraphs between empty lines, headings where they are plain to see."""

import re
from collections.abc import Iterator
from pathlib import Path

from knowledge.extraction.decoding import decode
from knowledge.extraction.reasons import NO_TEXT, ExtractionFailed
from knowledge.extraction.text_builder import TextBuilder
from knowledge.types import BlockKind, Extracted

_PARAGRAPH = re.compile(r"\n[^\S\n]*\n+")
_UNDERLINED = re.compile(r"(?P<title>[^\n]{1,120})\n(?P<line>={3,}|-{3,})[^\S\n]*(?:\n|$)")
_CHAPTER = re.compile(
    r"(?:第[〇零一二三四五六七八九十百\d]{1,5}[章节節编編篇]|Chapter \d+\b)[^\n]{0,60}"
)


def extract_text(path: Path) -> Extracted:
    builder = TextBuilder()
    add_text(builder, decode(path.read_bytes()))
    return builder.extracted()


def add_text(builder: TextBuilder, text: str) -> None:
    """Append the paragraphs of a plain text."""
    for paragraph in _paragraphs(text.replace("\r\n", "\n").replace("\r", "\n")):
        _add_paragraph(builder, paragraph.strip("\n"))


def _paragraphs(text: str) -> Iterator[str]:
    """One after the other: a list of ten million costs more than the file."""
    start = 0
    for gap in _PARAGRAPH.finditer(text):
        yield text[start : gap.start()]
        start = gap.end()
    yield text[start:]


def read_text(path: Path) -> Extracted:
    """The same, for text that is read in the process that asks; raise `ExtractionFailed`."""
    extracted = extract_text(path)
    if not extracted.text.strip():
        raise ExtractionFailed(NO_TEXT)
    return extracted


def _add_paragraph(builder: TextBuilder, paragraph: str) -> None:
    if found := _UNDERLINED.match(paragraph):
        level = 1 if found["line"][0] == "=" else 2
        builder.add(BlockKind.HEADING, found["title"], level=level)
        paragraph = paragraph[found.end() :]
    elif _CHAPTER.fullmatch(paragraph.strip()):
        builder.add(BlockKind.HEADING, paragraph.strip(), level=1)
        return
    builder.add(BlockKind.PARAGRAPH, paragraph)
