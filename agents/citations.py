"""Citations in an answer: marks checked while it streams.

`CitationGate` passes text through and holds back only what may still become a mark. Marks come
out as `[n]`, whatever form the model chose (【1】, ［1］, [1, 2], [^1], 【1†source】); numbers that
were never given are dropped, and so is nothing else. Code is left alone: `a[0]` is no citation.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass

from gateway.sentences import split_sentences

LONGEST_MARK = 40  # characters between brackets; what is longer is no mark
CONTEXT = 800  # characters of the answer before a mark in which its sentence is sought

_SPECIAL = re.compile(r"`+|\n| ?[\[［【]")
_OPEN_MARK = re.compile(r" ?[\[［【]\^?\s*(?:\d{1,3}\s*(?:[,，、;；–-]\s*)?)*(?:†[^\]］】\n]*)?")
_MARK = re.compile(
    r" ?[\[［【]\^?\s*(\d{1,3}(?:\s*[,，、;；–-]\s*\d{1,3})*)\s*(?:†[^\]］】\n]*)?[\]］】]"
)
_NUMBERS = re.compile(r"(\d+)(?:\s*[–-]\s*(\d+))?")
_PLAIN_MARK = re.compile(r"\s?\[\d{1,3}\]")


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of the answer, the number of a passage it cites, and where its mark stands."""

    n: int
    sentence: str
    at: int = 0


class CitationGate:
    """Filters the text of one answer; feed it as it arrives, then `close`."""

    def __init__(self, given: Collection[int]) -> None:
        self._given = frozenset(given)
        self._held = ""
        self._code = 0  # length of the backtick run that opened code, 0 outside code
        self._said = ""
        self._claims: list[Claim] = []

    def admit(self, numbers: Collection[int]) -> None:
        """Given from now on as well."""
        self._given |= frozenset(numbers)

    @property
    def text(self) -> str:
        """Everything that came through."""
        return self._said

    def feed(self, text: str) -> str:
        """What may be shown now."""
        text = self._held + text
        self._held = ""
        return self._pass(text, is_last=False)

    def close(self) -> str:
        """What was held back: it did not become a mark."""
        text, self._held = self._held, ""
        return self._pass(text, is_last=True)

    def take_claims(self) -> list[Claim]:
        """Sentences whose marks came through since the last call."""
        claims, self._claims = self._claims, []
        return claims

    def _pass(self, text: str, *, is_last: bool) -> str:
        """Move `text` to what was said, up to where it may still turn into something else."""
        start = len(self._said)
        position = 0
        while found := _SPECIAL.search(text, position):
            self._said += text[position : found.start()]
            position = found.start()
            is_open = not is_last and self._may_go_on(text[position:])
            if is_open:
                break
            position = self._take(text, found)
        else:
            end = len(text)
            if text.endswith(" ") and not is_last:
                end -= 1  # it goes if a mark that is dropped follows
            self._said += text[position:end]
            position = max(position, end)
        self._held = text[position:]
        return self._said[start:]

    def _may_go_on(self, text: str) -> bool:
        """Whether more text could change what `text`, which begins with something special, is."""
        if text[0] == "`":
            return not text.strip("`")
        if self._code or text[0] == "\n":
            return False
        found = _OPEN_MARK.match(text)
        return found is not None and found.end() == len(text) <= LONGEST_MARK

    def _take(self, text: str, found: re.Match[str]) -> int:
        """Let the special thing through, or what replaces it; the position behind it."""
        special = found.group()
        mark = None if self._code else _MARK.match(text, found.start())
        if mark:
            self._cite(mark)
            return mark.end()
        if special[0] == "`":
            self._note_backticks(len(special))
        elif special == "\n" and self._code < 3:
            self._code = 0  # a stray backtick ends with its line
        self._said += special
        return found.end()

    def _note_backticks(self, length: int) -> None:
        if not self._code:
            self._code = length
        elif self._code == length or self._code >= 3 <= length:
            self._code = 0

    def _cite(self, mark: re.Match[str]) -> None:
        known = [n for n in _numbers(mark[1]) if n in self._given]
        if not known:
            return
        sentence = claimed_sentence(self._said)
        self._claims.extend(Claim(n, sentence, len(self._said)) for n in known)
        space = " " if mark.group().startswith(" ") else ""
        self._said += space + "".join(f"[{n}]" for n in known)


def _numbers(text: str) -> list[int]:
    """The numbers of a mark in order, each once; 1-3 is 1, 2 and 3."""
    found: list[int] = []
    for first, last in _NUMBERS.findall(text):
        found.extend(range(int(first), int(last or first) + 1))
    return list(dict.fromkeys(found))


def claimed_sentence(said: str) -> str:
    """The sentence that a mark at the end of `said` stands for, without marks and quote signs."""
    text = _PLAIN_MARK.sub("", said[-CONTEXT:]).rstrip()
    spans = split_sentences(text)
    if not spans:
        return ""
    start, end = spans[-1]
    return text[start:end].strip("> \n*-")
