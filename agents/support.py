"""Sentences of an answer that no source stands behind: they cite none, and no passage says them.

Judged by wording alone, so it is a hint for readers and no verdict. What cannot be judged so (code,
headings, tables, questions, a few words, a language that the passages are not in) is left out.
"""

import re
from collections.abc import Iterator, Sequence

from gateway.sentences import split_sentences
from gateway.wording import Weights, is_cjk, words

SAID = 0.5  # share of a sentence's words in one passage from which on that passage says it
FEWEST_WORDS = 4
LONGEST = 60_000  # characters of an answer that are looked at

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1[`~]*[^\S\n]*$|\Z)", re.DOTALL | re.M)
_APART = re.compile(r"\s*(?:#{1,6}\s|\||>|\$\$|(?:-{3,}|={3,}|\*{3,})\s*$)")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s+")
_MARK = re.compile(r"\s?\[\d{1,3}\]")
_LEADS_ON = re.compile(r"[?？:：][\"'”’」』）)*_]*$")


def find_unsupported(text: str, passages: Sequence[str]) -> list[str]:
    """The sentences, as the answer writes them but without marks, in order."""
    said = [frozenset(words(passage)) for passage in passages]
    weights = Weights([words(passage) for passage in passages])
    is_chinese = is_cjk("".join(passages))
    found = []
    for block in _blocks(text[:LONGEST]):
        has_mark = bool(_MARK.search(block))
        for sentence, is_cited in _sentences(block):
            terms = set(words(sentence))
            if is_cited or len(terms) < FEWEST_WORDS or _LEADS_ON.search(sentence):
                continue
            if is_cjk(sentence) != is_chinese:
                if has_mark:
                    continue  # a translation: the mark that ends its paragraph has to do
            elif any(weights.coverage(terms, given) >= SAID for given in said):
                continue
            found.append(sentence)
    return found


def _blocks(text: str) -> Iterator[str]:
    """Paragraphs and list items, each without its line breaks."""
    held: list[str] = []
    for line in [*_FENCE.sub("", text).split("\n"), ""]:
        is_apart = not line.strip() or _APART.match(line) is not None
        if held and (is_apart or _ITEM.match(line)):
            yield " ".join(held)
            held = []
        if not is_apart:
            held.append(_ITEM.sub("", line, count=1).strip())


def _sentences(block: str) -> Iterator[tuple[str, bool]]:
    """Each sentence, and whether a mark stands in it or before the next one."""
    plain, marks = _without_marks(block)
    spans = split_sentences(plain)
    edges = [start for start, _ in spans[1:]] + [len(plain)]
    for (start, end), edge in zip(spans, edges, strict=True):
        yield plain[start:end], any(start < at <= edge for at in marks)


def _without_marks(block: str) -> tuple[str, list[int]]:
    plain = ""
    marks: list[int] = []
    at = 0
    for mark in _MARK.finditer(block):
        plain += block[at : mark.start()]
        marks.append(len(plain))
        at = mark.end()
    return plain + block[at:], marks
