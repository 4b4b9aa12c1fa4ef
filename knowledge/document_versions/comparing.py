"""What two texts say differently, line by line. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

LONGEST = 4000  # lines of each text: beyond that the comparison would take long
AROUND = 1  # lines shown around what differs
MOST = 400  # lines shown


@dataclass(frozen=True, slots=True)
class Line:
    """`kind` is `same`, `old` (only the first says it), `new`, or `gap` (some are left out)."""

    kind: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    lines: list[Line]
    is_cut: bool  # more of it differs than is shown, or than was looked at

    @property
    def is_same(self) -> bool:
        return not self.lines and not self.is_cut


def compare(old: str, new: str) -> Comparison:
    before, after = _lines(old), _lines(new)
    matcher = SequenceMatcher(None, before[:LONGEST], after[:LONGEST], autojunk=False)
    found: list[Line] = []
    for group in matcher.get_grouped_opcodes(AROUND):
        if found:
            found.append(Line("gap"))
        for tag, a, b, c, d in group:
            if tag == "equal":
                found += [Line("same", text) for text in before[a:b]]
            else:
                found += [Line("old", text) for text in before[a:b]]
                found += [Line("new", text) for text in after[c:d]]
    is_cut = len(found) > MOST or max(len(before), len(after)) > LONGEST
    return Comparison(found[:MOST], is_cut)


def _lines(text: str) -> list[str]:
    return [line for line in _stripped(text) if line]


def _stripped(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield " ".join(line.split())
