"""reStructuredText: what a reader sees of it, block by block; nothing is included or run."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import Directive, directives, roles
from docutils.parsers.rst.languages import en
from docutils.utils import SystemMessage

from knowledge.extraction.decoding import decode
from knowledge.extraction.reasons import DAMAGED, NESTED, ExtractionFailed
from knowledge.extraction.styled import Styled
from knowledge.extraction.tables import add_table
from knowledge.extraction.text_builder import TextBuilder
from knowledge.types import BlockKind, Extracted

SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "_disable_config": True,
    "report_level": 5,
    "halt_level": 5,
    "warning_stream": False,
    "smart_quotes": False,
    "toc_backlinks": False,
    "section_self_link": False,
    "syntax_highlight": "none",
}
_DIRECTIVE = re.compile(r"^\s*\.\. (?:\|[^|\n]+\| )?([\w:+.-]+?)::(?:\s|$)", re.MULTILINE)
_ROLE = re.compile(r"(?::([\w:+.-]+):`|`:([\w:+.-]+):)")
_TARGET = re.compile(r"\s*<[^<>]*>$")
_STYLES = {"strong": "b", "emphasis": "i", "literal": "code", "title_reference": "i"}
_UNREAD = (nodes.comment, nodes.system_message, nodes.substitution_definition, nodes.target,
           nodes.raw, nodes.pending, nodes.docinfo, nodes.meta)  # fmt: skip


def extract_rst(path: Path) -> Extracted:
    source = decode(path.read_bytes()).replace("\0", "")
    _learn(source)
    try:
        document = publish_doctree(source, settings_overrides={**SETTINGS})
    except RecursionError as error:
        raise ExtractionFailed(NESTED) from error
    except (SystemMessage, ValueError, AssertionError, AttributeError, IndexError) as error:
        raise ExtractionFailed(DAMAGED) from error
    reader = _Reader()
    title = document.get("title", "")
    for element in document.children:
        is_below = bool(title) and isinstance(element, nodes.section)
        reader.read(element, 2 if is_below else 1)
    return reader.builder.extracted(title)


class _Any(Directive):
    """One of another program, such as Sphinx: its words, and what stands inside it."""

    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> Sequence[nodes.Node]:
        said = " ".join(self.arguments)
        content = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, content)
        return [nodes.paragraph(said, said), *content.children] if said else content.children


def _any_role(_name: str, raw: str, text: str, *_: Any, **__: Any) -> tuple[list[Any], list[Any]]:
    shown = _TARGET.sub("", nodes.unescape(text)).lstrip("~!")
    return [nodes.literal(raw, shown)], []


def _learn(source: str) -> None:
    """Let docutils read what it does not know as the words it is; this process reads one file."""
    for name in {found[1].lower() for found in _DIRECTIVE.finditer(source)} - en.directives.keys():
        directives.register_directive(name, _Any)
    for found in _ROLE.finditer(source):
        name = (found[1] or found[2]).lower()
        if name not in en.roles:
            roles.register_local_role(name, _any_role)


class _Reader:
    def __init__(self) -> None:
        self.builder = TextBuilder()

    def read(self, element: Any, level: int) -> None:
        """Append what the element says; sections inside sections are a level deeper."""
        match element:
            case nodes.title():
                self.builder.add(BlockKind.HEADING, _styled(element), level=min(level, 6))
            case nodes.section():
                for child in element.children:
                    inner = level + 1 if isinstance(child, nodes.section) else level
                    self.read(child, inner)
            case nodes.literal_block() | nodes.doctest_block() | nodes.math_block():
                self.builder.add(BlockKind.CODE, element.astext())
            case nodes.bullet_list() | nodes.enumerated_list() | nodes.definition_list():
                self.builder.add(BlockKind.LIST, Styled.joined("\n", _items(element, 0)))
            case nodes.field_list() | nodes.option_list():
                self.builder.add(BlockKind.LIST, Styled.joined("\n", _items(element, 0)))
            case nodes.table():
                self._table(element)
            case nodes.image():
                self.builder.add(BlockKind.PARAGRAPH, element.get("alt", ""))
            case nodes.Element() if not isinstance(element, _UNREAD):
                self._other(element, level)

    def _other(self, element: nodes.Element, level: int) -> None:
        if isinstance(element, nodes.TextElement):
            self._paragraph(element)
            return
        for child in element.children:  # notes, warnings, quotes, figures
            if isinstance(child, nodes.title):
                self.builder.add(BlockKind.PARAGRAPH, _styled(child))
            else:
                self.read(child, level)

    def _paragraph(self, element: nodes.Element) -> None:
        content = _styled(element)
        if isinstance(element.parent, nodes.block_quote):
            content.note("quote")
        self.builder.add(BlockKind.PARAGRAPH, content)

    def _table(self, table: nodes.Element) -> None:
        for title in table.findall(nodes.title):
            self.builder.add(BlockKind.PARAGRAPH, _styled(title))
        add_table(self.builder, _rows(table))


def _rows(table: nodes.Element) -> Iterator[list[str]]:
    for row in table.findall(nodes.row):
        yield [entry.astext() for entry in row.children]


def _items(element: nodes.Element, depth: int) -> Iterator[Styled]:
    """The lines of a list; a list inside a list is indented."""
    for number, item in enumerate(element.children, int(element.get("start", 1))):
        marker = f"{number}." if isinstance(element, nodes.enumerated_list) else "-"
        own = [child for child in item.children if not _is_list(child)]
        said = Styled.joined(" ", [_styled(child) for child in own if child.astext().strip()])
        line = Styled(f"{'  ' * depth}{marker} ")
        with line.within("item", f"{depth}:{marker}"):
            line.append(said.retold(" ".join(said.text.split())))
        yield line
        for nested in item.children:
            if _is_list(nested):
                yield from _items(nested, depth + 1)
            elif isinstance(nested, nodes.definition | nodes.field_body | nodes.description):
                for inner in filter(_is_list, nested.children):
                    yield from _items(inner, depth + 1)


def _is_list(element: nodes.Node) -> TypeGuard[nodes.Element]:
    return isinstance(element, nodes.bullet_list | nodes.enumerated_list | nodes.definition_list)


def _styled(element: Any) -> Styled:
    content = Styled()
    _write(element, content)
    return content


def _write(element: Any, content: Styled) -> None:
    for child in element.children:
        if isinstance(child, nodes.Text):
            content.add(child.astext())
        elif isinstance(child, nodes.image):
            with content.within("picture"):
                content.add(child.get("alt", ""))
        elif isinstance(child, nodes.reference):
            with content.within("a", child.get("refuri", "")):
                _write(child, content)
        elif isinstance(child, _UNREAD) or _is_list(child):
            continue
        elif name := _STYLES.get(child.tagname):
            with content.within(name):
                _write(child, content)
        else:
            content.add(" " if content.text and isinstance(child, nodes.Body) else "")
            _write(child, content)
