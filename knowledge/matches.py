"""Where the terms that matched a query stand in a passage. Pure."""

import re
from collections.abc import Collection

from knowledge.analyzer import analyze
from knowledge.reading import Run

_SIGNS = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_SIGNS}]+|[^\W_{_SIGNS}]+")
_CJK = re.compile(f"[{_SIGNS}]")


def mark_terms(text: str, terms: Collection[str]) -> list[Run]:
    """`text` as runs, those that the analyzer turns into one of `terms` marked."""
    wanted = set(terms)
    runs: list[Run] = []
    at = 0
    for start, end in _spans(text, wanted):
        if start > at:
            runs.append(Run(text[at:start]))
        runs.append(Run(text[start:end], is_marked=True))
        at = end
    if at < len(text):
        runs.append(Run(text[at:]))
    return runs


def _spans(text: str, wanted: set[str]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for found in _WORD.finditer(text):
        word = found.group()
        if not _CJK.match(word):
            if wanted.intersection(analyze(word)):
                spans.append(found.span())
            continue
        for low, high in _cjk_spans(word, wanted):
            start, end = found.start() + low, found.start() + high
            if spans and spans[-1][1] >= start:
                spans[-1] = (spans[-1][0], end)
            else:
                spans.append((start, end))
    return spans


def _cjk_spans(run: str, wanted: set[str]) -> list[tuple[int, int]]:
    """Matching bigrams; a single character counts only where the query was a single one."""
    pairs = [
        (n, n + 2) for n in range(len(run) - 1) if wanted.intersection(_longest(run[n : n + 2]))
    ]
    if pairs or any(len(term) > 1 and _CJK.match(term) for term in wanted):
        return pairs
    return [(n, n + 1) for n, sign in enumerate(run) if wanted.intersection(analyze(sign))]


def _longest(pair: str) -> list[str]:
    return [term for term in analyze(pair) if len(term) > 1]
