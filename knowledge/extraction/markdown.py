"""Markdown: what a reader sees of it, block by block (CommonMark and tables)."""

import re
from collections.abc import Sequence
from pathlib import Path

from lxml import html as lxml_html
from lxml.etree import ParserError
from markdown_it import MarkdownIt
from markdown_it.token import Token

from knowledge.extraction.decoding import decode
from knowledge.extraction.text_builder import TextBuilder
from knowledge.types import BlockKind, Extracted

_FRONT_MATTER = re.compile(r"\A---[^\S\n]*\n(?P<fields>.*?)\n(?:---|\.\.\.)[^\S\n]*\n", re.DOTALL)
_TITLE_FIELD = re.compile(r"^title:\s*[\"']?(?P<title>.+?)[\"']?\s*$", re.MULTILINE)


def extract_markdown(path: Path) -> Extracted:
    source = decode(path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
    title = ""
    if found := _FRONT_MATTER.match(source):
        named = _TITLE_FIELD.search(found["fields"])
        title = named["title"] if named else ""
        source = source[found.end() :]
    builder = TextBuilder()
    tokens = MarkdownIt("commonmark").enable("table").parse(source)
    first_heading = _Reader(builder).read(tokens)
    title = title or first_heading
    return Extracted(title, builder.text, tuple(builder.blocks), invisible=builder.invisible)


class _Reader:
    """Walks the flat token list; lists and tables are gathered into one block each."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._lines: list[str] = []
        self._cells: list[str] = []
        self._lists: list[int | None] = []  # the next number of each open list; None = bullets
        self._marker = ""
        self._first_heading = ""

    def read(self, tokens: Sequence[Token]) -> str:
        """Add every block; return the first heading of the highest level."""
        heading_level = 0
        for token in tokens:
            if token.type == "heading_open":
                heading_level = int(token.tag[1])
            elif token.type == "inline":
                self._read_inline(_plain(token), heading_level)
                heading_level = 0
            else:
                self._read_structure(token)
        return self._first_heading

    def _read_inline(self, text: str, heading_level: int) -> None:
        if heading_level:
            if heading_level == 1 and not self._first_heading:
                self._first_heading = " ".join(text.split())
            self._builder.add(BlockKind.HEADING, text, level=heading_level)
        elif self._lists:
            indent = "  " * (len(self._lists) - 1)
            self._lines.append(f"{indent}{self._marker}{text}")
            self._marker = "  "
        else:
            self._cells.append(text)

    def _read_structure(self, token: Token) -> None:
        match token.type:
            case "paragraph_close" if not self._lists:
                self._builder.add(BlockKind.PARAGRAPH, "\n".join(self._cells))
                self._cells.clear()
            case "tr_close":
                self._lines.append(" | ".join(self._cells))
                self._cells.clear()
            case "table_close":
                self._flush(BlockKind.TABLE)
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
                self._builder.add(BlockKind.PARAGRAPH, _without_tags(token.content))

    def _next_marker(self) -> str:
        number = self._lists[-1]
        if number is None:
            return "- "
        self._lists[-1] = number + 1
        return f"{number}. "

    def _read_code(self, code: str) -> None:
        if self._lists:
            self._lines.extend(code.rstrip("\n").split("\n"))
        else:
            self._builder.add(BlockKind.CODE, code)

    def _flush(self, kind: BlockKind) -> None:
        self._builder.add(kind, "\n".join(self._lines))
        self._lines.clear()


def _plain(token: Token) -> str:
    parts = []
    for child in token.children or []:
        match child.type:
            case "text" | "code_inline":
                parts.append(child.content)
            case "softbreak":
                parts.append("\n")
            case "hardbreak":
                parts.append("\n")
            case "image":
                parts.append(child.content)
    return "".join(parts)


def _without_tags(source: str) -> str:
    try:
        return "".join(map(str, lxml_html.fromstring(f"<div>{source}</div>").itertext()))
    except (ParserError, ValueError):
        return ""
