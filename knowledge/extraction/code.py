"""Source code: its lines as they are, in blocks of what belongs together, each with its line.

Where the language has a grammar, a block is a function, a class or what stands between them, and
knows the names of what it is part of; elsewhere empty lines and indentation tell.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tree_sitter import Node, Parser

from knowledge.extraction.decoding import decode
from knowledge.extraction.grammars import definitions, find_grammar, first_row, name_of
from knowledge.extraction.styled import Styled
from knowledge.extraction.text_builder import TextBuilder
from knowledge.types import SCOPE, BlockKind, Extracted, Mark

LARGE = 1_200  # bytes: a definition that is longer is looked into
LARGEST = 512 * 1024  # bytes that are parsed; what is longer was written by a program
DEEPEST = 20  # definitions in definitions
LONG_BLOCK = 20_000  # characters of a block where nothing tells what belongs together
_LINE_END = re.compile(r"\r\n?")
_NO_LINE_END = str.maketrans(dict.fromkeys("\x85\u2028\u2029", " "))  # editors do not count these


@dataclass(frozen=True, slots=True)
class Part:
    """Lines from `first` to before `end`, counted from 0, and what they belong to."""

    first: int
    end: int
    scope: tuple[str, ...] = ()


def extract_code(path: Path, language: str = "") -> Extracted:
    text = _LINE_END.sub("\n", decode(path.read_bytes())).translate(_NO_LINE_END)
    lines = text.split("\n")
    builder = TextBuilder()
    for part in _parts(text, lines, language):
        _add(builder, lines, part)
    return builder.extracted()


def _parts(text: str, lines: Sequence[str], language: str) -> Iterator[Part]:
    data = text.encode(errors="replace")
    grammar = find_grammar(language) if len(data) <= LARGEST else None
    if grammar is None:
        return _by_indentation(lines)
    return _by_syntax(Parser(grammar).parse(data).root_node, 0, len(lines), ())


def _by_syntax(node: Node, first: int, end: int, scope: tuple[str, ...]) -> Iterator[Part]:
    """Every line once: the definitions inside the node, and what stands between them."""
    at = first
    for around, inner in definitions(node):
        start = max(first_row(around), at)
        stop = around.end_point.row + (around.end_point.column > 0)
        if around.start_point.row < at or stop > end:
            continue  # it shares a line with the one before
        if start > at:
            yield Part(at, start, scope)
        names = (*scope, name_of(inner))
        if inner.end_byte - inner.start_byte > LARGE and len(names) < DEEPEST:
            yield from _by_syntax(inner, start, stop, names)
        else:
            yield Part(start, stop, names)
        at = stop
    if at < end:
        yield Part(at, end, scope)


def _by_indentation(lines: Sequence[str]) -> Iterator[Part]:
    """A part begins with a line that is not indented, below an empty one."""
    first, length = 0, 0
    for number, line in enumerate(lines):
        is_below_gap = number > 0 and not lines[number - 1].strip()
        begins = is_below_gap and line[:1].strip() and line[0] not in ")]}"
        if number > first and (begins or length > LONG_BLOCK):
            yield Part(first, number)
            first, length = number, 0
        length += len(line)
    yield Part(first, len(lines))


def _add(builder: TextBuilder, lines: Sequence[str], part: Part) -> None:
    """Append the lines without the empty ones around them."""
    first, end = part.first, part.end
    while first < end and not lines[first].strip():
        first += 1
    while end > first and not lines[end - 1].strip():
        end -= 1
    if first == end:
        return
    content = Styled("\n".join(lines[first:end]))
    content.marks = [Mark(0, len(content.text), SCOPE, name) for name in part.scope]
    builder.add(BlockKind.CODE, content, line=first + 1)
