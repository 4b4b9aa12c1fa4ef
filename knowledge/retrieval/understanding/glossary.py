"""The other words of a question, as the glossaries of collections have them.

An entry is a group of words for one thing: "annual leave", "vacation", "年假". A question that
holds one of them is searched for with the others too: those of its own script in its place, those
of another script by themselves, since an English passage holds none of the Chinese words around.
"""

import re
from collections.abc import Sequence

from knowledge.analyzer import is_cjk
from knowledge.retrieval.types import Query, Way
from knowledge.retrieval.understanding.wording import folded

LONGEST_TERM = 80  # characters
MOST_WORDS = 5  # of a term in Latin script
LONGEST_CJK = 10
MOST_ADDED = 6  # words that are added for one entry
WEIGHT = 0.7
_CJK = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff"
_RUN = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")


def key_of(term: str) -> str:
    """What terms are compared by: folded words with single spaces, without a plural s."""
    return " ".join(map(_singular, _RUN.findall(folded(term))))


def _singular(word: str) -> str:
    return word.removesuffix("s") if len(word) > 3 else word


def keys_in(question: str) -> list[str]:
    """Every key that a term in the question could have."""
    found: dict[str, None] = {}
    runs = _RUN.findall(folded(question))
    for n, run in enumerate(runs):
        if is_cjk(run):
            found |= {
                run[a : a + size]: None
                for a in range(len(run))
                for size in range(2, min(LONGEST_CJK, len(run) - a) + 1)
            }
        else:
            found |= {
                key_of(" ".join(runs[n : n + size])): None
                for size in range(1, min(MOST_WORDS, len(runs) - n) + 1)
            }
    return list(found)


def other_words(question: str, entries: Sequence[Sequence[str]]) -> list[Query]:
    """One query in the question's script, one in the other; none where no entry applies."""
    text = folded(question)
    is_chinese = is_cjk(question)
    own: dict[str, dict[str, None]] = {}  # by what the question says: entries may share a word
    foreign: dict[str, None] = {}
    for terms in entries:
        here = next(filter(None, (_said(term, text) for term in _longest_first(terms))), "")
        if not here:
            continue
        others = [term for term in terms if key_of(term) != key_of(here)][:MOST_ADDED]
        for term in others:
            words = own.setdefault(here, {}) if is_cjk(term) == is_chinese else foreign
            words[term] = None
    said = question
    for here, words in own.items():
        said = _replaced(said, here, " ".join(words))
    found = [said] if said != question else []
    found += [" ".join(foreign)] if foreign else []
    return [Query(text, Way.GLOSSARY, WEIGHT) for text in found]


def _longest_first(terms: Sequence[str]) -> list[str]:
    return sorted(terms, key=len, reverse=True)


def _said(term: str, text: str) -> str:
    """As the text says it, as a word of its own or its plural; empty if it does not."""
    words = [re.escape(_singular(word)) for word in _RUN.findall(folded(term))]
    joined = r"s?[\s\-]*".join(words)
    pattern = joined if is_cjk(term) else rf"(?<![^\W_{_CJK}]){joined}s?(?![^\W_{_CJK}])"
    found = re.search(pattern, text) if words else None
    return found.group() if found else ""


def _replaced(question: str, here: str, by: str) -> str:
    """`here` is folded; the first place of it counts."""
    at = folded(question).find(here)
    return question if at < 0 else f"{question[:at]}{by}{question[at + len(here) :]}"
