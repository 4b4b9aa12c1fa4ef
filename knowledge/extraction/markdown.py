"""Markdown: what a reader sees of it, block by block (CommonMark and tables)."""

import re
from collections.abc import Sequence
from pathlib import Path

from lxml import html as lxml_html
from lxml.etree import ParserError
from markdown_it import MarkdownIt
from markdown_it.token import Token

from knowledge.extraction.decoding import decode
from knowledge.extraction.styled import Styled
from knowledge.extraction.text_builder import TextBuilder
from knowledge.types import BlockKind, Extracted

_FRONT_MATTER = re.compile(r"\A---[^\S\n]*\n(?P<fields>.*?)\n(?:---|\.\.\.)[^\S\n]*\n", re.DOTALL)
_STYLES = {"strong": "b", "em": "i", "s": "s"}
_TITLE_FIELD = re.compile(r"^title:\s*[\"']?(?P<title>.+?)[\"']?\s*$", re.MULTILINE)


def extract_markdown(path: Path) -> Extracted:
    source = decode(path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
    title = ""
    if found := _FRONT_MATTER.match(source):
        named = _TITLE_FIELD.search(found["fields"])
        title = named["title"] if named else ""
        source = source[found.end() :]
    builder = TextBuilder()
    first_heading = read_markdown(source, builder)
    return builder.extracted(title or first_heading)


def read_markdown(source: str, builder: TextBuilder) -> str:
    """Append what it says; return its first heading of the highest level."""
    tokens = MarkdownIt("commonmark").enable("table").parse(source)
    return _Reader(builder).read(tokens)


class _Reader:
    """Walks the flat token list; lists and tables are gathered into one block each."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._lines: list[Styled] = []
        self._cells: list[Styled] = []
        self._lists: list[int | None] = []  # the next number of each open list; None = bullets
        self._marker = ""
        self._quotes = 0
        self._is_head = False
        self._first_heading = ""

    def read(self, tokens: Sequence[Token]) -> str:
        """Add every block; return the first heading of the highest level."""
        heading_level = 0
        for token in tokens:
            if token.type == "heading_open":
                heading_level = int(token.tag[1])
            elif token.type == "inline":
                self._read_inline(_styled(token), heading_level)
                heading_level = 0
            else:
                self._read_structure(token)
        return self._first_heading

    def _read_inline(self, content: Styled, heading_level: int) -> None:
        if heading_level:
            if heading_level == 1 and not self._first_heading:
                self._first_heading = " ".join(content.text.split())
            self._add(BlockKind.HEADING, content, heading_level)
        elif self._lists:
            depth = len(self._lists) - 1
            line = Styled(f"{'  ' * depth}{self._marker}")
            with line.within("item", f"{depth}:{self._marker.strip()}"):
                line.append(content)
            self._lines.append(line)
            self._marker = "  "
        else:
            self._cells.append(content)

    def _read_structure(self, token: Token) -> None:
        match token.type:
            case "paragraph_close" if not self._lists:
                self._add(BlockKind.PARAGRAPH, Styled.joined("\n", self._cells))
                self._cells.clear()
            case "thead_open" | "thead_close":
                self._is_head = token.nesting == 1
            case "tr_close":
                self._lines.append(self._row())
                self._cells.clear()
            case "table_close":
                self._flush(BlockKind.TABLE)
            case "blockquote_open" | "blockquote_close":
                self._quotes += token.nesting
            case "bullet_list_open":
                self._lists.append(None)
            case "ordered_list_open":
                self._lists.append(int(token.attrs.get("start", 1)))
            case "list_item_open":
                self._marker = self._next_marker()
            case "bullet_list_close" | "ordered_list_close":
                self._lists.pop()
                if not self._lists:
                    self._flush(BlockKind.LIST)
            case "fence" | "code_block":
                self._read_code(token.content)
            case "html_block":
                self._add(BlockKind.PARAGRAPH, Styled(_without_tags(token.content)))

    def _next_marker(self) -> str:
        number = self._lists[-1]
        if number is None:
            return "- "
        self._lists[-1] = number + 1
        return f"{number}. "

    def _row(self) -> Styled:
        number = len(self._lines)
        cells = []
        for content in self._cells:
            cell = Styled()
            with cell.within("cell", f"{number}:h" if self._is_head else str(number)):
                cell.append(content)
            cells.append(cell)
        return Styled.joined(" | ", cells)

    def _read_code(self, code: str) -> None:
        if not self._lists:
            self._add(BlockKind.CODE, Styled(code))
            return
        for text in code.rstrip("\n").split("\n"):
            line = Styled()
            with line.within("item", f"{len(self._lists) - 1}:"), line.within("code"):
                line.add(text)
            self._lines.append(line)

    def _flush(self, kind: BlockKind) -> None:
        self._add(kind, Styled.joined("\n", self._lines))
        self._lines.clear()

    def _add(self, kind: BlockKind, content: Styled, level: int = 0) -> None:
        if self._quotes:
            content.note("quote")
        self._builder.add(kind, content, level=level)


def _styled(token: Token) -> Styled:
    content = Styled()
    for child in token.children or []:
        kind, _, place = child.type.rpartition("_")
        match child.type:
            case "text":
                content.add(child.content)
            case "code_inline":
                with content.within("code"):
                    content.add(child.content)
            case "softbreak":
                with content.within("soft"):
                    content.add("\n")
            case "hardbreak":
                content.add("\n")
            case "image":
                with content.within("picture"):
                    content.add(child.content)
            case "link_open":
                content.begin("a", str(child.attrs.get("href", "")))
            case _ if kind in _STYLES and place == "open":
                content.begin(_STYLES[kind])
            case _ if place == "close":
                content.end()
    return content


def _without_tags(source: str) -> str:
    try:
        return "".join(map(str, lxml_html.fromstring(f"<div>{source}</div>").itertext()))
    except (ParserError, ValueError):
        return ""
