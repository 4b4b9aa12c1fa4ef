"""Headings of PDFs by how they are set, for those without an outline that names them.

A heading stands alone on its line or lines, larger than the text, or bold with space above it and
text below. In doubt a line is text: passages below a wrong heading are found by words they lack.
"""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf

from knowledge.extraction.pdf_lines import Line, SetPage

Headings = dict[int, dict[str, int]]  # page → text without spaces → level

LARGER = 1.15  # times the size of the text
LARGER_IF_BOLD = 1.04
SPACED = 1.2  # times the usual distance of lines, above what is only bold
NEXT_LINE = 1.8  # times its size, to the next line of the same heading
LONGEST, MOST_LINES, DEEPEST = 120, 3, 4
FEWEST_LETTERS = 20  # of the line below a bold one; Chinese says it in half
ALIKE = 0.05  # two sizes that differ by less are one level
ON_MANY = 0.3  # of the pages, at one height: a running head
LISTED, LISTED_SHARE = 5, 0.4  # lines that end with a number: a table of contents
TEXT_TOO, TEXT_LETTERS = 0.4, 300  # a size of so much of the text is one of text

BOLD = 0.0  # instead of a size: bold text as large as the rest
_NEVER = re.compile(r"[.。,，;；、…]$|^[•·▪◦‣*\-–—]\s|\.{3}|(?:\. ?){3}|://|www\.|@")
_NUMBERED = re.compile(
    r"(?:\d+[.)]|[\dIVX]+(?:\.\d+)+|第.{1,4}[章节節条條]|[一二三四五六七八九十]+、)"
)
_ENDS_IN_NUMBER = re.compile(r"[\s.·…]\d{1,4}$")
_DIGITS = re.compile(r"\d+")
_WIDE = re.compile("[\u2e80-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class Body:
    """How the text of a document is set, and sizes in which much of it is, too."""

    size: float
    is_bold: bool
    leading: float  # the usual distance of its lines
    others: frozenset[float]


@dataclass(slots=True)
class Heading:
    page: int
    size: float  # or BOLD
    lines: list[Line] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(line.text for line in self.lines)

    @property
    def key(self) -> str:
        return key_of(self.text)


def key_of(text: str) -> str:
    """By which lines are known: programs that read PDFs do not agree about spaces."""
    return "".join(text.split())


def find_headings(pages: Sequence[SetPage], told: Mapping[int, Container[str]]) -> Headings:
    """By page and by what they say without spaces, their levels.

    Of pages in `told` only lines that are there count: the others stand in tables.
    """
    body = _body(pages)
    if body is None:
        return {}
    found = [
        heading
        for number, page in enumerate(pages, 1)
        for heading in _on_page(number, page.lines, body, told.get(number))
    ]
    found = [*_without_running(found, len(pages))]
    levels = _levels(heading.size for heading in found)
    headings: Headings = {}
    for heading in found:
        headings.setdefault(heading.page, {})[heading.key] = levels[heading.size]
    return headings


def _body(pages: Sequence[SetPage]) -> Body | None:
    letters: Counter[tuple[float, bool]] = Counter()
    for page in pages:
        letters.update(page.letters)
    by_size: Counter[float] = Counter()
    for (size, _), count in letters.items():
        by_size[size] += count
    size, most = max(by_size.items(), key=lambda item: (item[1], item[0]), default=(0.0, 0))
    if not size:
        return None
    spaces = Counter(
        round(line.above)
        for page in pages
        for line in page.lines
        if line.size == size and line.above < 4 * size
    )
    leading = max(spaces, key=lambda space: (spaces[space], -space), default=0)
    others = {
        other for other, count in by_size.items() if count > max(TEXT_LETTERS, TEXT_TOO * most)
    }
    return Body(size, letters[size, True] * 2 > most, float(leading), frozenset(others))


def _on_page(
    number: int, lines: Sequence[Line], body: Body, told: Container[str] | None
) -> Iterator[Heading]:
    """Sound ones from the last to the first."""
    listed = sum(map(_is_listed, lines))
    is_contents = listed >= max(LISTED, LISTED_SHARE * len(lines))
    parts: list[Heading | Line] = []
    for line in lines:
        set_as = _set_as(line, body)
        is_listed = is_contents and _is_listed(line)
        if set_as is None or is_listed or (told is not None and key_of(line.text) not in told):
            parts.append(line)
            continue
        held = parts[-1] if parts else None
        if not isinstance(held, Heading) or not _goes_on(held, line, set_as, body):
            held = Heading(number, set_as)
            parts.append(held)
        held.lines.append(line)
    below: Heading | Line | None = None
    for part in reversed(parts):
        if not isinstance(part, Heading):
            below = part
        elif _is_sound(part, below, body):
            yield part
            below = part
        else:
            below = part.lines[0]


def _is_listed(line: Line) -> bool:
    """Whether a number stands at its end, as in a table of contents."""
    return line.text[-1].isdigit() and _ENDS_IN_NUMBER.search(line.text) is not None


def _set_as(line: Line, body: Body) -> float | None:
    """The size of a line that may be a heading or part of one, or BOLD."""
    is_bold = line.is_bold and not body.is_bold
    least = LARGER_IF_BOLD if is_bold else LARGER
    size = BOLD
    if line.size >= least * body.size and line.size not in body.others:
        size = line.size
    elif not is_bold or line.size < (1 - ALIKE) * body.size:
        return None
    if line.is_row or len(line.text) > LONGEST or not _could_be_said(line.text):
        return None
    return size


def _could_be_said(text: str) -> bool:
    letters = sum(c.isalpha() for c in text)
    fewest = 1 if _WIDE.search(text) else 2
    return letters >= max(fewest, len(key_of(text)) / 2) and not _NEVER.search(text)


def _goes_on(held: Heading, line: Line, set_as: float, body: Body) -> bool:
    if set_as != held.size or _NUMBERED.match(line.text):
        return False
    if set_as == BOLD:
        return line.above < SPACED * (body.leading or body.size)
    return line.above <= NEXT_LINE * set_as


def _is_sound(heading: Heading, below: Heading | Line | None, body: Body) -> bool:
    """Not too long; and if it is only bold, with space above and with text below."""
    if len(heading.lines) > MOST_LINES or len(heading.text) > LONGEST:
        return False
    if heading.size != BOLD:
        return True
    if heading.lines[0].above < SPACED * (body.leading or body.size):
        return False
    return isinstance(below, Heading) or (below is not None and _is_text(below))


def _is_text(line: Line) -> bool:
    letters = sum(c.isalpha() for c in line.text) + len(_WIDE.findall(line.text))
    return letters >= FEWEST_LETTERS and not line.is_row


def _without_running(found: Sequence[Heading], page_count: int) -> Iterator[Heading]:
    """Not those that many pages have at the same height; of what is only bold, two pages."""
    seen = Counter(place for heading in found for place in _places(heading))
    many = max(2, ON_MANY * page_count)
    for heading in found:
        if max(seen[place] for place in _places(heading)) < (2 if heading.size == BOLD else many):
            yield heading


def _places(heading: Heading) -> set[tuple[str, int]]:
    """Where it stands, and what it says: also apart from a number that rises with the pages."""
    text, height = heading.text, round(heading.lines[0].height)
    said = {text}
    for number in (*(numbers := [*_DIGITS.finditer(text)])[:1], *numbers[1:][-1:]):
        told = int(number[0][:9]) - heading.page
        said.add(f"{text[: number.start()]}#{told}{text[number.end() :]}")
    if heading.size == BOLD:
        said.add(_DIGITS.sub("#", text))
    return {(each, height) for each in said}


def _levels(sizes: Iterable[float]) -> dict[float, int]:
    """The largest first; what is only bold lies below all that is larger than the text."""
    levels: dict[float, int] = {}
    level, last = 0, inf
    for size in sorted(set(sizes), reverse=True):
        if size < (1 - ALIKE) * last:
            level += 1
            last = size
        levels[size] = min(level, DEEPEST)
    return levels
