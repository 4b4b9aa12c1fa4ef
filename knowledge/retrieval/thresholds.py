"""Whether what was found resembles the question at all: nothing found is an answer too.

The scores of the fusion say which passage fits best, never whether one fits. Likeness does: the
share of the question's words that the passage has, each weighed by how rare it is, and beside it
the cosine of both where the dense leg counts. From which likeness on a passage answers depends on
the embedder and on the script of the question, and on the collection where a curator has tuned it.
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from gateway.wording import words
from knowledge.analyzer import is_cjk
from knowledge.bm25 import idf
from knowledge.retrieval.questions import Question
from knowledge.retrieval.statements import Known
from knowledge.retrieval.types import Least

# Among few passages every word that is missing would seem to be rare.
SMALLEST = 500
MOST_FALSE = 0.1  # of the questions without an answer may find something
FOREIGN = 3  # what a word in Latin letters weighs in a Chinese question


_ASKS_FOR_ALL = re.compile(
    r"\bsummar(?:y|i[sz]e|ies)\b|\boverview\b|\boutline\b|\btl;?dr\b"
    r"|\b(?:key|main) (?:points?|ideas?)\b|\bwhat (?:is|are|does|do) "
    r"(?:this|these|it|they|the (?:document|file|text|page|report|book)s?)\b"
    r"|总结|總結|概述|概括|概览|概覽|摘要|要点|要點|[讲說说講][了的]?(?:什么|什麼|甚麼|啥)|大意",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The least likeness for a question in Latin script and for a Chinese one."""

    latin: Least
    cjk: Least

    @property
    def base(self) -> float:
        return self.latin.base

    def above(self, base: float) -> "Thresholds":
        """The same by an embedder by which any two texts have this cosine."""
        return Thresholds(replace(self.latin, base=base), replace(self.cjk, base=base))

    def of(self, question: str) -> Least:
        """None is wanted of passages for a question about documents as a whole, or one without a
        word of its own: they resemble nothing."""
        if _ASKS_FOR_ALL.search(question) or not words(question):
            return Least(base=self.base)
        return self.cjk if is_cjk(question) else self.latin


# Measured on questions with and without an answer (benchmarks/packing.py), the Chinese one on parts
# of 90 to 2,400 passages. By one that was not measured only that is left out which has next to no
# word of the question and lies no nearer than anything does (`unrelated`).
MEASURED = {
    "all-MiniLM-L6-v2": Thresholds(latin=Least(0.33), cjk=Least(0.2, by_size=0.035)),
}
UNMEASURED = Thresholds(latin=Least(0.1), cjk=Least(0.15))


def thresholds_of(embedder: str) -> Thresholds:
    return MEASURED.get(embedder, UNMEASURED)


class Likeness:
    """How much passages resemble one question, 0 to 1. What frames a question (who, 什么) is none
    of its words here: nobody expects it in an answer."""

    def __init__(self, question: Question, known: Known) -> None:
        self._alpha, self._base = question.alpha, question.least.base
        telling = set(words(question.text))
        n = max(known.n, SMALLEST)
        weigh = _in_chinese if is_cjk(question.text) else _in_latin
        self._weights = {
            term: count * weigh(question.words[term], idf(n, known.frequencies.get(term, 0)))
            for term, count in question.counts.items()
            if not telling or question.words[term] in telling
        }
        self._whole = sum(self._weights.values()) or 1.0

    def of(self, shared: Collection[int], cosine: float | None) -> float:
        """Of a passage with these of the question's terms; without a cosine it was too far away."""
        covered = sum(self._weights.get(term, 0.0) for term in shared) / self._whole
        return round((1 - self._alpha) * covered + self._alpha * nearness(cosine, self._base), 4)


def nearness(cosine: float | None, base: float = 0.0) -> float:
    """How much nearer two texts lie than any two do, 0 to 1."""
    return max(0.0, (cosine or 0.0) - base) / (1 - base)


def _in_latin(_word: str, rarity: float) -> float:
    return rarity


def _in_chinese(word: str, rarity: float) -> float:
    """Characters and pairs of them are often met by chance: rare ones decide. A name in Latin
    letters, or a number, is one term where a Chinese word of its length is several."""
    return rarity**2 * (1 if is_cjk(word) else FOREIGN)


@dataclass(frozen=True, slots=True)
class Calibration:
    """A threshold, the share of answerable questions that it would leave without passages, and the
    share of questions without an answer that find something all the same."""

    threshold: float
    lost: float
    false: float


def calibrate(
    answerable: Sequence[float], unanswerable: Sequence[float], most_false: float = MOST_FALSE
) -> Calibration:
    """From the likeness of the best passage for questions of both sorts: the lowest threshold by
    which at most `most_false` of those without an answer find something."""
    own, others = sorted(answerable), sorted(unanswerable)
    candidates = [0.0, *(value + 1e-4 for value in others)]
    threshold = next(t for t in candidates if _from(others, t) <= most_false)
    lost = 1 - _from(own, threshold)
    return Calibration(round(threshold, 4), lost, _from(others, threshold))


def _from(ordered: Sequence[float], threshold: float) -> float:
    """The share that is not below the threshold."""
    return 1 - bisect_left(ordered, threshold) / len(ordered) if ordered else 0.0
