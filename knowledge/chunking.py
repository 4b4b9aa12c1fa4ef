"""Extracted text to passages: by headings, then paragraphs, then sentences.

A passage and its title path cost at most 230 word pieces: the embedder reads 256. Against windows
of a fixed size this raised the reciprocal rank of the right passage by 0.05 to 0.08.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from gateway.embedding.local import count_pieces, piece_starts
from gateway.sentences import split_sentences
from knowledge.types import Block, BlockKind, ChunkDraft

MAX_PIECES = 230
MAX_TITLE_PIECES = 60
# The tokenizer makes one piece of an endless word: it costs at least one for this many characters.
CHARACTERS_PER_PIECE = 8

Span = tuple[int, int]
Split = Callable[[str], Iterable[Span]]

_CLAUSE = re.compile(r"[^；;，,：:、—]+[；;，,：:、—]*\s*")
_WORD = re.compile(r"\S+\s*")
_LINE = re.compile(r"[^\n]+\n*")
_STANZA = re.compile(r"(?:[^\n]|\n(?!\s*\n))+\n*")


@dataclass(frozen=True, slots=True)
class Unit:
    """Text that stays together, and what it costs in word pieces."""

    start: int
    end: int
    cost: int


@dataclass(frozen=True, slots=True)
class Section:
    """The blocks below one heading."""

    heading_path: tuple[str, ...]
    heading: Block | None
    blocks: tuple[Block, ...]


def chunk(text: str, blocks: Sequence[Block], title: str) -> list[ChunkDraft]:
    """Cut `text` into passages in reading order; they never overlap.

    Every passage lies in one section and keeps the page it begins on. A heading is part of the
    path, not of the passage, unless nothing stands below it.
    """
    drafts: list[ChunkDraft] = []
    for section in _sections(text, blocks, title):
        budget = MAX_PIECES - _cost_of_path(title, section.heading_path)
        for start, end, page in _pack(text, section.blocks, budget):
            drafts.append(ChunkDraft(text[start:end], section.heading_path, start, end, page))
    return drafts


def index_text(title: str, heading_path: Sequence[str], text: str, head: str = "") -> str:
    """What is analysed and embedded for a passage: its title path, then the passage below the
    names of its columns."""
    return "\n".join(filter(None, (title_path(title, heading_path), head, text)))


def title_path(title: str, heading_path: Sequence[str]) -> str:
    """The title and the innermost headings, as many as 60 word pieces hold."""
    kept = [title] if title else []
    room = MAX_TITLE_PIECES - count_pieces(title)
    for place, heading in enumerate(reversed(heading_path)):
        room -= count_pieces(heading) + 1
        if room < 0:
            break
        kept.insert(len(kept) - place, heading)
    return _cut(" › ".join(kept), MAX_TITLE_PIECES)


def _cut(text: str, pieces: int) -> str:
    starts = piece_starts(text)
    text = text if len(starts) <= pieces else text[: starts[pieces]]
    return text[: pieces * CHARACTERS_PER_PIECE].rstrip()


def _cost_of_path(title: str, heading_path: Sequence[str]) -> int:
    path = title_path(title, heading_path)
    return max(count_pieces(path), ceil(len(path) / CHARACTERS_PER_PIECE))


def _sections(text: str, blocks: Sequence[Block], title: str) -> Iterator[Section]:
    path: list[tuple[int, str]] = []
    heading: Block | None = None
    body: list[Block] = []

    def names() -> tuple[str, ...]:
        headings = [name for _, name in path]
        return tuple(headings[1:] if headings[:1] == [title] else headings)

    for block in blocks:
        if block.kind != BlockKind.HEADING:
            body.append(block)
            continue
        if body:
            yield Section(names(), heading, tuple(body))
        elif heading is not None and block.level <= heading.level:
            yield Section(names(), heading, (heading,))
        body, heading = [], block
        path = [entry for entry in path if entry[0] < block.level]
        path.append((block.level, " ".join(text[block.start : block.end].split())))
    if body or heading is not None:
        yield Section(names(), heading, tuple(body) or (heading,) if heading else tuple(body))


def _pack(text: str, blocks: Sequence[Block], budget: int) -> Iterator[tuple[int, int, int | None]]:
    """Fill passages with whole blocks; a block that is too long is cut into even parts."""
    held: list[Unit] = []
    page: int | None = None
    for block in blocks:
        units = _units(text, block, budget)
        total = _cost(units)
        parts = ceil(total / budget)
        # Even parts: 240 pieces become two passages of 120, not one of 230 and a crumb.
        goal = budget if parts <= 1 else min(budget, ceil(total / parts * 1.1))
        # An opening line stays with the long list it announces.
        is_opening = parts > 1 and _cost(held) < budget // 5
        if held and _cost(held) + total > budget and not is_opening:
            yield held[0].start, held[-1].end, page
            held = []
        for unit in units:
            if held and _cost(held) + unit.cost > goal:
                yield held[0].start, held[-1].end, page
                held = []
            if not held:
                page = block.page
            held.append(unit)
    if held:
        yield held[0].start, held[-1].end, page


def _cost(units: Sequence[Unit]) -> int:
    return sum(unit.cost for unit in units)


def _units(text: str, block: Block, budget: int) -> list[Unit]:
    """The block whole where it fits, or else its sentences (its lines, for code and tables)."""
    starts = [block.start + at for at in piece_starts(text[block.start : block.end])]
    splits: tuple[Split, ...] = (split_sentences, _by(_CLAUSE), _by(_WORD), _halves)
    if block.kind in {BlockKind.CODE, BlockKind.TABLE, BlockKind.LIST}:
        splits = (_by(_STANZA), _by(_LINE), *splits)

    def cost(start: int, end: int) -> int:
        pieces = bisect_left(starts, end) - bisect_left(starts, start)
        return max(pieces, ceil((end - start) / CHARACTERS_PER_PIECE), 1)

    def divide(start: int, end: int, splits: tuple[Split, ...]) -> Iterator[Unit]:
        start, end = _trim(text, start, end)
        if start >= end:
            return
        if (found := cost(start, end)) <= budget:
            yield Unit(start, end, found)
            return
        # Halving goes on until a part fits; every other way of splitting is used once.
        finer = splits[1:] or splits
        for from_, to in splits[0](text[start:end]):
            yield from divide(start + from_, start + to, finer)

    return list(divide(block.start, block.end, splits))


def _by(pattern: re.Pattern[str]) -> Split:
    def split(text: str) -> Iterator[Span]:
        at = 0
        for found in pattern.finditer(text):
            yield at, found.end()
            at = found.end()
        if at < len(text):
            yield at, len(text)

    return split


def _halves(text: str) -> Iterator[Span]:
    middle = len(text) // 2
    yield 0, middle
    yield middle, len(text)


def _trim(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end
