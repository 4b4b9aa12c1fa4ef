"""The sentences of an answer in Markdown, with their places and the numbers they cite.

Code, headings, tables, formulas and rules hold none. Everything is found in one pass over a copy of
the same length in which what is no words is blank, so that places are those of the answer.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.sentences import split_sentences

LONGEST = 60_000  # characters of an answer that are looked at

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1[`~]*[^\S\n]*$|\Z)", re.DOTALL | re.M)
_APART = re.compile(r"\s*(?:#{1,6}\s|\||\$\$|(?:-{3,}|={3,}|\*{3,})\s*$)")
_ITEM = re.compile(r"[\s>]*(?:[-*+•]|\d{1,3}[.)])\s+")
_QUOTE = re.compile(r" {0,3}>[ >]*")
_INLINE = re.compile(r"(?P<code>`+[^`\n]*`+)|\[(?P<n>\d{1,3})\](?!\()")
_CLOSING = re.compile(r"(?:[*_~]+|\]\([^)\s]*\))*")
_UNSAID = re.compile(r"\]\([^)\s]*\)|(?<=[.!?。！？])[*_~]+")
_BEFORE_STOP = re.compile(r"\s+([.,;:!?。，；：！？…])")


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence: its span with its marks, its words without them, and the numbers of the marks.

    `is_vouched`: some mark stands in its paragraph. `place` is where one of its own would stand:
    behind it, and behind the emphasis or the link that closes there.
    """

    start: int
    end: int
    text: str
    cited: tuple[int, ...]
    is_vouched: bool
    place: int


def read_sentences(answer: str) -> Iterator[Said]:
    answer = answer[:LONGEST]
    for start, end in _blocks(answer):
        yield from _sentences(answer, start, end)


def _blocks(answer: str) -> Iterator[tuple[int, int]]:
    """Paragraphs and list items, without the signs they begin with."""
    text = _FENCE.sub(lambda found: "\n" * len(found.group()), answer)
    begin = at = 0
    for line in [*text.splitlines(keepends=True), "\n"]:
        quote = _QUOTE.match(line)
        item = _ITEM.match(line)
        is_apart = not line.strip("> \t\n\r") or _APART.match(line) is not None
        if begin < at and (is_apart or item):
            yield begin, at
            begin = at
        at += len(line)
        if is_apart:
            begin = at
        elif begin == at - len(line):
            begin += item.end() if item else quote.end() if quote else 0


def _sentences(answer: str, start: int, end: int) -> Iterator[Said]:
    raw = answer[start:end]
    words = re.sub(r"\n[ >]*", lambda found: " " * len(found.group()), raw)
    marks = [(one.start(), one.end(), int(one["n"])) for one in _INLINE.finditer(words) if one["n"]]
    words = _UNSAID.sub(lambda found: " " * len(found.group()), words)
    words = _INLINE.sub(
        lambda found: " " * len(found.group()) if found["n"] else found.group(), words
    )
    spans = split_sentences(words)
    at = 0
    edges = [first for first, _ in spans[1:]] + [len(words)] * bool(spans)
    for (first, last), edge in zip(spans, edges, strict=True):
        cited = []
        while at < len(marks) and marks[at][0] < edge:
            cited.append(marks[at][2])
            at += 1
        text = _BEFORE_STOP.sub(r"\1", " ".join(words[first:last].split()))
        closed = _CLOSING.match(answer, start + last)
        place = closed.end() if closed else start + last
        yield Said(start + first, start + last, text, tuple(cited), bool(marks), place)
