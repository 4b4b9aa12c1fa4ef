"""Text put together piece by piece, that remembers how its stretches look."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Self

from knowledge.types import Mark

BLANK = "\0\x85\u2028\u2029"  # a break of the line that is not white space yet, or no more


class Styled:
    """`text` with `marks`, whose offsets point into it."""

    def __init__(self, text: str = "") -> None:
        self._parts = [text]
        self._length = len(text)
        self._open: list[tuple[str, str, int]] = []
        self.marks: list[Mark] = []

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def add(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def append(self, other: "Styled") -> None:
        self.marks += moved(other.marks, self._length)
        self.add(other.text)

    def note(self, name: str, value: str = "") -> None:
        """Something that stands at this place and has no text."""
        self.marks.append(Mark(self._length, self._length, name, value))

    @contextmanager
    def within(self, name: str, value: str = "") -> Iterator[None]:
        """What is added meanwhile looks so."""
        self.begin(name, value)
        yield
        self.end()

    def begin(self, name: str, value: str = "") -> None:
        self._open.append((name, value, self._length))

    def end(self) -> None:
        """End what was begun last, if anything is begun."""
        if self._open:
            name, value, start = self._open.pop()
            self.marks.append(Mark(start, self._length, name, value))

    def cut(self) -> "Styled":
        """Everything so far; this one goes on empty, and what is begun goes on in it."""
        done = Styled(self.text)
        done.marks = self.marks
        done.marks += [Mark(start, self._length, name, value) for name, value, start in self._open]
        begun = [(name, value, 0) for name, value, _ in self._open]
        self._parts, self._length, self.marks, self._open = [], 0, [], begun
        return done

    def retold(self, text: str) -> "Styled":
        """The same in other words: `text` is this one without some of its characters, or with
        other white space in their place."""
        done = Styled(text)
        done.marks = retold(self.text, text, self.marks)
        return done

    @classmethod
    def joined(cls, separator: str, pieces: Iterable[Self]) -> "Styled":
        whole = Styled()
        for number, piece in enumerate(pieces):
            whole.add(separator if number else "")
            whole.append(piece)
        return whole


def moved(marks: Iterable[Mark], by: int) -> list[Mark]:
    return [Mark(mark.start + by, mark.end + by, mark.name, mark.value) for mark in marks]


def retold(before: str, after: str, marks: Sequence[Mark]) -> list[Mark]:
    """Marks on `before` as they lie on `after`, which lacks some of its characters."""
    if not marks or before == after:
        return list(marks)
    places = _places(before, after)
    return [Mark(places[m.start], places[m.end], m.name, m.value) for m in marks]


def _places(before: str, after: str) -> list[int]:
    """For every place in `before` the one in `after`: each character is found once, in order."""
    places: list[int] = []
    at = 0
    for character in before:
        places.append(at)
        if at < len(after) and (character == after[at] or _is_blank(character, after[at])):
            at += 1
    places.append(at)
    return places


def _is_blank(before: str, after: str) -> bool:
    return (before.isspace() or before in BLANK) and after.isspace()
