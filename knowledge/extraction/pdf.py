"""PDF: the text layer page by page, lines joined to paragraphs, headings from the outline or from
how they are set, tables where lines are drawn between their cells."""

import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from io import BytesIO
from pathlib import Path
from statistics import quantiles
from typing import Any

import pypdf
from pypdf.errors import LimitReachedError, PyPdfError

from knowledge.extraction.pdf_headings import MOST_LINES, Headings, find_headings, key_of
from knowledge.extraction.pdf_lines import Faces, SetPage, read_page
from knowledge.extraction.pdf_tables import KEPT, Part, read_tables, ruled_pages
from knowledge.extraction.reasons import (
    BOMB,
    DAMAGED,
    ENCRYPTED,
    NEEDS_OCR,
    NO_TEXT,
    TOO_MANY_PAGES,
    ExtractionFailed,
)
from knowledge.extraction.scanned import read_pages
from knowledge.extraction.tables import add_table
from knowledge.extraction.text_builder import TextBuilder
from knowledge.types import BlockKind, Extracted

log = logging.getLogger(__name__)

MAX_PAGES = 5_000
# A scan often carries a stamp or a page number as text: fewer letters on a page mean a picture.
LETTERS_OF_A_PAGE = 8
OUTLINE_STANDS = 0.5  # of its entries are lines of their pages, or it names other things

_CJK = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\u3000-\u303f"
_SPACED_CJK = re.compile(rf"(?<=[{_CJK}])[^\S\n]+(?=[{_CJK}])")
_HYPHEN_AT_END = re.compile(r"(?<=[a-z])-$")
_LIST_MARK = re.compile(r"\s*(?:[•·▪◦‣\-–*]\s|\(?\d{1,3}[.)]\s|[一二三四五六七八九十]{1,3}、)")
_ENDS_SENTENCE = re.compile(r"[.!?:。！？：][\"'”’」』）)]*$")
_DIGITS = re.compile(r"\d+")
_SECTION = re.compile(r"^(?:\d+(?:\.\d+)*\.?|[A-Z](?:\.\d+)+\.?)(?=\D)")
_GENERATED_TITLE = re.compile(r"^(microsoft word|untitled|.*\.(docx?|indd|pptx?|tex|dvi)$)", re.I)

# What malformed files make pypdf raise besides its own errors.
_BROKEN = (
    PyPdfError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    OSError,
    AssertionError,
    ZeroDivisionError,
    NotImplementedError,
)


@dataclass(frozen=True, slots=True)
class Opened:
    """What pypdf tells of a file."""

    title: str
    pages: list[list[str]]  # their lines
    set_pages: list[SetPage]
    pictures: dict[int, pypdf.PageObject]  # pages that are pictures alone
    outline: Headings
    ruled: list[int]


def extract_pdf(path: Path) -> Extracted:
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        file = path.read_bytes()
        opened = _open(file)
    except LimitReachedError as error:
        raise ExtractionFailed(BOMB) from error
    except _BROKEN as error:
        raise ExtractionFailed(DAMAGED) from error
    pages = opened.pages
    seen = read_pages(opened.pictures)
    for number, text in seen.pages.items():
        pages[number - 1] = _page_lines(text)
    if sum(map(_letters, pages)) < LETTERS_OF_A_PAGE * max(1, min(len(pages), 10)):
        raise ExtractionFailed(NO_TEXT if seen.engine else NEEDS_OCR)
    builder = TextBuilder()
    repeated = _repeated_lines(pages)
    tables = _tables(file, opened.ruled, pages)
    headings = _headings(opened, tables)
    for number, lines in enumerate(pages, 1):
        for part in tables.get(number, [lines]):
            if isinstance(part, tuple):
                add_table(builder, part, page=number)
                continue
            kept = [line for line in part if _DIGITS.sub("#", line.strip()) not in repeated]
            _add_page(builder, kept, number, headings.get(number, {}))
    unread = [number for number in opened.pictures if number not in seen.pages]
    found = builder.extracted(opened.title, page_count=len(pages), pages_without_text=unread)
    return replace(found, pages_by_ocr=tuple(seen.pages), ocr=seen.engine)


def _open(file: bytes) -> Opened:
    reader = pypdf.PdfReader(BytesIO(file))
    if reader.is_encrypted and not reader.decrypt(""):
        raise ExtractionFailed(ENCRYPTED)
    if len(reader.pages) > MAX_PAGES:
        raise ExtractionFailed(TOO_MANY_PAGES)
    faces = Faces()
    read = [read_page(page, faces) for page in reader.pages]
    pages = [_page_lines(text) for text, _ in read]
    pictures = {
        number: page
        for number, page in enumerate(reader.pages, 1)
        if _letters(pages[number - 1]) < LETTERS_OF_A_PAGE and _has_picture(page)
    }
    ruled = ruled_pages(reader.pages) if not reader.is_encrypted else []
    set_pages = [heard for _, heard in read]
    return Opened(_title(reader), pages, set_pages, pictures, _outline(reader), ruled)


def _headings(opened: Opened, tables: dict[int, list[Part]]) -> Headings:
    """The outline's, if they stand in the text; or else those that look like it."""
    entries = sum(map(len, opened.outline.values()))
    standing = sum(
        bool(_heading_at(lines, at, opened.outline[number])[0])
        for number, lines in enumerate(opened.pages, 1)
        if number in opened.outline
        for at in range(len(lines))
    )
    if entries and standing >= OUTLINE_STANDS * entries:
        return opened.outline
    outside = {
        number: {key_of(line) for part in parts if isinstance(part, list) for line in part}
        for number, parts in tables.items()
    }
    return find_headings(opened.set_pages, outside)


def _letters(lines: Iterable[str]) -> int:
    return sum(c.isalnum() for line in lines for c in line)


def _tables(file: bytes, ruled: list[int], pages: list[list[str]]) -> dict[int, list[Part]]:
    """Of the pages that have tables what they say; not of those that would lose words by it."""
    found: dict[int, list[Part]] = {}
    try:
        for number, parts in read_tables(file, ruled):
            told = [_cleaned(part) for part in parts]
            if _is_whole(told, pages[number - 1]):
                found[number] = told
    except Exception as error:  # noqa: BLE001 - a second opinion: without it the text is still there
        log.info("tables were not looked for to the end: %s", type(error).__name__)
    return found


def _is_whole(told: list[Part], lines: list[str]) -> bool:
    """All words are there, once; and in their order: of columns pdfplumber would mix the lines."""
    before, after = _letters(lines), _letters(_words(told))
    if not KEPT * before <= after <= (2 - KEPT) * before:
        return False
    known = "".join("".join(line.split()) for line in lines)
    outside = ["".join(line.split()) for part in told if isinstance(part, list) for line in part]
    return sum(map(len, outside)) * KEPT <= sum(len(line) for line in outside if line in known)


def _cleaned(part: Part) -> Part:
    if isinstance(part, list):
        return _page_lines("\n".join(part))
    return tuple(tuple(_SPACED_CJK.sub("", " ".join(c.split())) for c in row) for row in part)


def _words(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        yield from part if isinstance(part, list) else (cell for row in part for cell in row)


def _has_picture(page: pypdf.PageObject) -> bool:
    """Whether a page shows an image: with one and without words, it is a scan or a slide."""
    resources = page.get("/Resources")
    drawn = resources.get_object().get("/XObject") if resources is not None else None
    found = drawn.get_object().values() if drawn is not None else ()
    return any(each.get_object().get("/Subtype") == "/Image" for each in found)


def _page_lines(text: str) -> list[str]:
    return [_SPACED_CJK.sub("", line).rstrip() for line in text.split("\n")]


def _title(reader: pypdf.PdfReader) -> str:
    metadata = reader.metadata
    title = str(metadata.title or "").strip() if metadata else ""
    return "" if _GENERATED_TITLE.match(title) else title


def _outline(reader: pypdf.PdfReader) -> Headings:
    """Its entries."""
    found: Headings = {}

    def walk(entries: list[Any], level: int) -> None:
        for entry in entries:
            if isinstance(entry, list):
                walk(entry, min(level + 1, 9))
                continue
            page = reader.get_destination_page_number(entry)
            if page is not None and page >= 0 and entry.title:
                found.setdefault(page + 1, {})[key_of(str(entry.title))] = level

    walk(reader.outline, 1)
    return found


def _repeated_lines(pages: list[list[str]]) -> set[str]:
    """First and last lines that stand on most pages: running heads and page numbers."""
    if len(pages) < 4:
        return set()
    counted: Counter[str] = Counter()
    for lines in pages:
        full = [_DIGITS.sub("#", line.strip()) for line in lines if line.strip()]
        counted.update({*full[:2], *full[-2:]})
    return {line for line, count in counted.items() if count > len(pages) * 0.6}


def _add_page(
    builder: TextBuilder, lines: list[str], number: int, headings: dict[str, int]
) -> None:
    for paragraph, level in _paragraphs(lines, headings):
        kind = BlockKind.HEADING if level else BlockKind.PARAGRAPH
        builder.add(kind, paragraph, level=level, page=number)


def _paragraphs(lines: list[str], headings: dict[str, int]) -> Iterator[tuple[str, int]]:
    """Join lines to paragraphs, and to headings, which have a level; a paragraph ends at an empty
    or short line, a list mark or a heading."""
    widths = [len(line) for line in lines if line.strip()]
    usual = quantiles(widths, n=4)[2] if len(widths) > 3 else 0.0
    held = ""
    at = 0
    while at < len(lines):
        count, level = _heading_at(lines, at, headings)
        if held and (count or not lines[at].strip() or _LIST_MARK.match(lines[at])):
            yield held, 0
            held = ""
        if count:
            yield reduce(_join, (line.strip() for line in lines[at : at + count]), ""), level
            at += count
            continue
        line = lines[at]
        held = _join(held, line.strip())
        if held and len(line) < usual * 0.7 and _ENDS_SENTENCE.search(line):
            yield held, 0
            held = ""
        at += 1
    if held:
        yield held, 0


def _heading_at(lines: Sequence[str], at: int, headings: Mapping[str, int]) -> tuple[int, int]:
    """Of how many lines the heading is that begins here, and its level; the longest one.

    The number of a section may stand in the text alone.
    """
    if not headings or not lines[at].strip():
        return 0, 0
    key = ""
    found = 0, 0
    for count, line in enumerate(lines[at : at + MOST_LINES], 1):
        key += key_of(line)
        level = headings.get(key) or (headings.get(_SECTION.sub("", key)) if count == 1 else 0)
        found = (count, level) if level else found
    return found


def _join(held: str, line: str) -> str:
    if not held or not line:
        return held or line
    if _HYPHEN_AT_END.search(held) and line[0].islower():
        return held[:-1] + line
    is_chinese = re.match(f"[{_CJK}]", line[0]) and re.match(f"[{_CJK}]", held[-1])
    return f"{held}{line}" if is_chinese else f"{held} {line}"
