"""HTML: the readable part of a page, without scripts, navigation and what is hidden."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from lxml import etree
from lxml import html as lxml_html
from lxml.html import HtmlElement

from knowledge.extraction.decoding import decode
from knowledge.extraction.figures import Figures, data_of
from knowledge.extraction.reasons import DAMAGED, TOO_DEEP, ExtractionFailed
from knowledge.extraction.styled import Styled
from knowledge.extraction.text_builder import TextBuilder
from knowledge.types import FIGURE, BlockKind, Extracted

DEEPEST = 200
Find = Callable[[str], bytes]
_MARK = "parley-figure"  # an attribute that holds what the text's mark will say

_DROPPED_TAGS = (
    "script style noscript template svg math iframe object embed canvas nav footer aside form "
    "button select input textarea head dialog"
)
_DROPPED = frozenset(_DROPPED_TAGS.split())
_BLOCK_TAGS = (
    "address article blockquote body center dd details div dl dt fieldset figcaption figure header "
    "hgroup hr html li main ol p section summary ul"
)
_BLOCKS = frozenset(_BLOCK_TAGS.split())
_STYLES = {
    "b": "b", "strong": "b", "i": "i", "em": "i", "cite": "i", "s": "s", "del": "s", "strike": "s",
    "code": "code", "kbd": "code", "samp": "code", "tt": "code",
}  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0", re.I)
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w-]{1,40})", re.IGNORECASE)
_XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")


def extract_html(path: Path) -> Extracted:
    builder, figures = TextBuilder(), Figures()
    title = read_html(decode_html(path.read_bytes()), builder, figures)
    return builder.extracted(title, figures=figures.drawn)


def decode_html(data: bytes, declared: str = "") -> str:
    named = _CHARSET.search(data[:4096])
    return decode(data, declared or (named[1].decode("ascii") if named else ""))


def read_html(source: str, builder: TextBuilder, figures: Figures, find: Find = data_of) -> str:
    """Append the readable part of a page; return its title.

    `find` has the bytes of a picture by its address, where they came along.
    """
    parser = lxml_html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True)
    try:
        root = lxml_html.document_fromstring(_XML_DECLARATION.sub("", source), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise ExtractionFailed(DAMAGED) from error
    before = len(builder.blocks)
    _find_figures(root, figures, find)
    walker = _Walker(builder)
    walker.walk(_main_part(root))
    if len(builder.blocks) == before and (walker.is_cut or _is_too_deep(parser)):
        raise ExtractionFailed(TOO_DEEP)
    return " ".join((root.findtext(".//title") or "").split())


def _find_figures(root: HtmlElement, figures: Figures, find: Find) -> None:
    """Draw the images that the page brings along, and leave the mark of each at its element.

    An image that would have to be fetched is never looked at.
    """
    for image in root.iter("img"):
        image.attrib.pop(_MARK, None)  # only ours counts
        place = Styled()
        if _is_shown(image) and (data := find(image.get("src", ""))):
            figures.note(place, data, image.get("alt", ""))
        for mark in place.marks:
            image.set(_MARK, mark.value)


def _note_figure(content: Styled, image: HtmlElement) -> None:
    if value := image.get(_MARK, ""):
        content.note(FIGURE, value)


def _is_too_deep(parser: lxml_html.HTMLParser) -> bool:
    """Whether the parser gave up on the nesting; what is deeper is missing from its tree."""
    return any("depth" in entry.message.lower() for entry in parser.error_log)


def _main_part(root: HtmlElement) -> HtmlElement:
    """The page's <main> or only <article>, where it has one with text."""
    for name in ("main", "article"):
        found = root.findall(f".//{name}")
        if len(found) == 1 and found[0].text_content().strip():
            return found[0]
    body = root.find("body")
    return root if body is None else body


class _Walker:
    """Gathers inline text until a block begins or ends."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._inline = Styled()
        self._quotes = 0
        self.is_cut = False

    def walk(self, element: HtmlElement, depth: int = 0) -> None:
        self._children(element, depth)
        self._flush()

    def _children(self, element: HtmlElement, depth: int) -> None:
        self._inline.add(element.text or "")
        for child in element:
            if _is_shown(child):
                if depth < DEEPEST:
                    self._element(child, depth + 1)
                else:
                    self.is_cut = True
            self._inline.add(child.tail or "")

    def _element(self, element: HtmlElement, depth: int) -> None:
        tag = element.tag
        if tag == "br":
            self._inline.add("\0")
        elif tag == "img":
            _note_figure(self._inline, element)
        elif tag in _HEADINGS:
            self._flush()
            self._add(BlockKind.HEADING, _inline_text(element), _HEADINGS[tag])
        elif tag == "pre":
            self._flush()
            code = _gathered(element)
            self._add(BlockKind.CODE, code.retold(code.text.replace("\0", "\n")))
        elif tag == "table":
            self._flush()
            rows = (_row(row, number) for number, row in enumerate(element.iter("tr")))
            self._add(BlockKind.TABLE, Styled.joined("\n", (row for row in rows if row.text)))
        elif tag in {"ul", "ol"}:
            self._flush()
            self._add(BlockKind.LIST, Styled.joined("\n", _items(element, 0)))
        elif tag in _BLOCKS:
            self._flush()
            self._quotes += tag == "blockquote"
            self._children(element, depth)
            self._flush()
            self._quotes -= tag == "blockquote"
        else:
            look = _look(element)
            if look:
                self._inline.begin(*look)
            self._children(element, depth)
            if look:
                self._inline.end()

    def _flush(self) -> None:
        self._add(BlockKind.PARAGRAPH, _tidied(self._inline.cut()))

    def _add(self, kind: BlockKind, content: Styled, level: int = 0) -> None:
        if self._quotes:
            content.note("quote")
        self._builder.add(kind, content, level=level)


def _look(element: HtmlElement) -> tuple[str, str] | None:
    """How an inline element shows its text, if not plainly."""
    if element.tag == "a":
        return ("a", element.get("href", "").strip())
    name = _STYLES.get(element.tag)
    return (name, "") if name else None


def _is_shown(element: HtmlElement) -> bool:
    if not isinstance(element.tag, str) or element.tag in _DROPPED:
        return False
    if "hidden" in element.attrib or element.get("aria-hidden") == "true":
        return False
    return not _HIDDEN_STYLE.search(element.get("style", ""))


def _gathered(element: HtmlElement, without: Sequence[HtmlElement] = ()) -> Styled:
    """The text of an element and its shown children; a line break is NUL until it is tidied."""
    content = Styled()
    _gather(element, content, without)
    return content


def _gather(element: HtmlElement, content: Styled, without: Sequence[HtmlElement]) -> None:
    content.add(element.text or "")
    for child in element:
        if child not in without and _is_shown(child):
            if child.tag == "br":
                content.add("\0")
            elif child.tag == "img":
                _note_figure(content, child)
            look = _look(child)
            if look:
                content.begin(*look)
            _gather(child, content, without)
            if look:
                content.end()
            if child.tag in _BLOCKS:
                content.add(" ")
        content.add(child.tail or "")


def _inline_text(element: HtmlElement) -> Styled:
    return _tidied(_gathered(element))


def _row(row: HtmlElement, number: int) -> Styled:
    cells = []
    for element in row:
        if element.tag in {"td", "th"}:
            inner = _inline_text(element)
            cell = Styled()
            with cell.within("cell", f"{number}:h" if element.tag == "th" else str(number)):
                cell.append(inner.retold(inner.text.replace("\n", " ")))
            cells.append(cell)
    return Styled.joined(" | ", cells) if any(cell.text for cell in cells) else Styled()


def _items(element: HtmlElement, level: int) -> Iterator[Styled]:
    """The lines of a list; a list inside a list is indented."""
    for number, item in enumerate((e for e in element if e.tag == "li"), 1):
        nested = [e for e in item.iter("ul", "ol") if _owner(e) is item]
        marker = f"{number}. " if element.tag == "ol" else "- "
        if (own := _tidied(_gathered(item, nested))).text:
            line = Styled(f"{'  ' * level}{marker}")
            with line.within("item", f"{level}:{marker.strip()}"):
                line.append(own)
            yield line
        for inner in nested:
            yield from _items(inner, min(level + 1, DEEPEST))


def _owner(element: HtmlElement) -> HtmlElement | None:
    return next(element.iterancestors("li"), None)


def _tidied(content: Styled) -> Styled:
    return content.retold(_tidy(content.text))


def _tidy(text: str) -> str:
    """Collapse white space as a browser does; only a line break makes a new line."""
    lines = (" ".join(line.split()) for line in text.split("\0"))
    return "\n".join(lines).strip()
