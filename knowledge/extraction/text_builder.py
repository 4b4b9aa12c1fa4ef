"""The extracted text under construction: clean blocks, one empty line between them."""

import re
from collections.abc import Sequence
from dataclasses import replace

from knowledge.extraction.reasons import TOO_MUCH_TEXT, ExtractionFailed
from knowledge.extraction.styled import Styled, moved, retold
from knowledge.types import FIGURE, Block, BlockKind, Drawn, Extracted, Mark

MAX_CHARACTERS = 20_000_000
MAX_BLOCKS = 400_000  # some hundred bytes each, in the worker too
MAX_MARKS = 200_000  # what comes after them is shown plain

# Nothing a reader sees, and a way to hide instructions from him: controls, zero-width and
# bidirectional marks, tags, variation selectors, halves of surrogate pairs.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff0-\uffff\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)
_LINE_END = re.compile(r"\r\n?|[\u2028\u2029\x85]")
# Looking back keeps it linear: a run of spaces is tried from its start alone.
_TRAILING = re.compile(r"(?<![^\S\n])[^\S\n]+$", re.MULTILINE)
_MANY_EMPTY_LINES = re.compile(r"\n{3,}")


class TextBuilder:
    """Collects blocks; `text` is what they say, and their offsets are exact in it."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.invisible = 0
        self._parts: list[str] = []
        self._length = 0
        self._marked = 0
        self._waiting: list[Mark] = []  # of pictures before the first words

    @property
    def text(self) -> str:
        return "".join(self._parts)

    @property
    def last(self) -> str:
        """What the last block says."""
        return self._parts[-1] if self._parts else ""

    def add(
        self,
        kind: BlockKind,
        content: str | Styled,
        *,
        level: int = 0,
        page: int | None = None,
        line: int | None = None,
    ) -> None:
        """Append one block; text without a visible character adds nothing.

        What begins in a `line` of its file keeps its line ends, so that lines can be counted.
        """
        given = content.text if isinstance(content, Styled) else content
        text = self._clean(given, keeps_lines=line is not None)
        marks = content.marks if isinstance(content, Styled) else []
        if not text:
            self._keep_figures(marks)
            return
        marks = [*self._waiting, *marks]
        self._waiting = []
        if self._parts:
            self._append(self._gap(line))
        start = self._length
        self._append(text)
        if len(self.blocks) == MAX_BLOCKS:
            raise ExtractionFailed(TOO_MUCH_TEXT)
        shown = self._placed(retold(given, text, marks), start)
        self.blocks.append(Block(kind, start, self._length, level, page, shown, line))

    def extracted(
        self,
        title: str = "",
        *,
        page_count: int | None = None,
        figures: Sequence[Drawn] = (),
        pages_without_text: Sequence[int] = (),
    ) -> Extracted:
        """Everything so far, as what the file says."""
        return Extracted(
            title, self.text, tuple(self.blocks), page_count,
            invisible=self.invisible,
            figures=tuple(figures),
            pages_without_text=tuple(pages_without_text),
        )  # fmt: skip

    def _gap(self, line: int | None) -> str:
        """An empty line; between two parts of a program as many line ends as in the file."""
        before = self.blocks[-1]
        if line is None or before.line is None:
            return "\n\n"
        return "\n" * max(1, line - before.line - self.last.count("\n"))

    def _keep_figures(self, marks: Sequence[Mark]) -> None:
        """Pictures without words stand after the block before them, or before the first one."""
        values = [mark.value for mark in marks if mark.name == FIGURE]
        if self.blocks and values:
            last = self.blocks[-1]
            figures = (Mark(last.end, last.end, FIGURE, value) for value in values)
            self.blocks[-1] = replace(last, marks=(*last.marks, *figures))
        else:
            self._waiting += [Mark(0, 0, FIGURE, value) for value in values]

    def _placed(self, marks: Sequence[Mark], start: int) -> tuple[Mark, ...]:
        self._marked += len(marks)
        return tuple(moved(marks, start)) if self._marked <= MAX_MARKS else ()

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
        if self._length > MAX_CHARACTERS:
            raise ExtractionFailed(TOO_MUCH_TEXT)

    def _clean(self, text: str, *, keeps_lines: bool) -> str:
        text, removed = _INVISIBLE.subn("", _LINE_END.sub("\n", text))
        self.invisible += removed
        text = _TRAILING.sub("", text)
        if not keeps_lines:
            text = _MANY_EMPTY_LINES.sub("\n\n", text)
        return text.strip("\n").rstrip() if text.strip() else ""
