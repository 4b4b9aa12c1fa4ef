"""Sentence boundaries of English and Chinese text, as offsets, without language detection."""

import re

# Never the end of a sentence: a name, a number or an example follows.
_OPENING_WORDS = (
    "mr mrs ms mx dr prof st sen rep gen gov capt lt col sgt rev hon pres messrs mt "
    "fig figs eq eqs sec ch vol vols ed eds pp p cf vs v viz e.g i.e eg ie al approx ca "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun"
)
_OPENERS = frozenset(_OPENING_WORDS.split())
# An abbreviation only where a number follows ("No. 5"), an answer otherwise ("No. I did not").
_BEFORE_NUMBERS = frozenset({"no", "nos", "art", "para", "item", "ver", "rev"})

_CLOSERS = "\"'”’»›)]}）】〕》〉」』﹂﹄］｝"
_CJK = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"

# One candidate boundary: terminators with the quotes and brackets that close after them, or a
# break in the layout (an empty line, or a new line that opens a list item or a heading).
_BOUNDARY = re.compile(
    rf"(?P<cjk>[。！？｡]+[{re.escape(_CLOSERS)}]*)"
    rf"|(?P<latin>[.!?…．]+[{re.escape(_CLOSERS)}]*)"
    r"|(?P<blank>\n[^\S\n]*(?=\n))"
    r"|(?P<line>\n(?=[^\S\n]*(?:[-*+•·▪◦‣]\s|\d{1,3}[.)、]\s?\S|#{1,6}\s|\||[一二三四五六七八九十]{1,3}、)))"
)
_WORD_BEFORE = re.compile(r"[^\s(\[{“‘「『（\"']+$")
_NEXT = re.compile(r"(?P<space>\s*)[\"'“‘«(\[{（「『【《]*(?P<char>\S)")
_IS_CJK = re.compile(f"[{_CJK}]")
_LINE_NUMBER = re.compile(r"(?:^|\n)\s*\(?\d{1,3}$")


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Return the (start, end) of each sentence in order, without the white space around it.

    The spans never overlap and together hold every character of `text` that is not white space.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for found in _BOUNDARY.finditer(text):
        if found.lastgroup == "latin" and not _ends_sentence(text, found):
            continue
        _append_trimmed(spans, text, start, found.end())
        start = found.end()
    _append_trimmed(spans, text, start, len(text))
    return spans


def _append_trimmed(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        spans.append((start, end))


def _ends_sentence(text: str, found: re.Match[str]) -> bool:
    following = _NEXT.match(text, found.end())
    if following is None:
        return True
    mark, char = found.group(), following["char"]
    if not following["space"]:
        # Chinese is written without a space after the mark: "真的吗?我不信".
        before = text[found.start() - 1 : found.start()]
        is_joined = mark[0] in "!?．" or bool(_IS_CJK.match(before))
        return is_joined and "…" not in mark and bool(_IS_CJK.match(char))
    if char.islower():
        return False
    return mark != "." or not _is_abbreviation(text, found.start(), char)


def _is_abbreviation(text: str, dot: int, following: str) -> bool:
    """Whether the dot at `dot` belongs to the word or number before it."""
    tail = text[max(0, dot - 40) : dot]
    word_found = _WORD_BEFORE.search(tail)
    if word_found is None:
        return False
    word = word_found.group()
    lower = word.lower()
    if lower in _OPENERS or (lower in _BEFORE_NUMBERS and following.isdigit()):
        return True
    if len(word) == 1 and word.isupper() and word != "I":
        return True
    if re.fullmatch(r"(?:[A-Z]\.)+[A-Z]", word):
        return True
    return bool(_LINE_NUMBER.search(tail))
