"""The span of a passage that a sentence stands on: word for word, nearly so, or in other words."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from rapidfuzz import fuzz

from agents.aligning.details import is_denied, numbers_given, numbers_told
from agents.aligning.folding import Folded, fold
from gateway.sentences import split_sentences
from gateway.wording import Weights, is_cjk, words

Method = Literal["exact", "fuzzy", "differs", "words", "meaning", "passage"]

SHORTEST_QUOTE = 4  # characters
NEARLY = 0.85  # of the letters, in order, from which a wording is nearly the same
EDGE = 0.2  # share of a stretch that it has in a sentence, else it only reaches into it
LONGEST = 2000  # letters that are compared one by one
NEARLY_WORDS = 0.4  # share of the words without which no wording can be nearly the same
SAID = 0.5  # share of a sentence's words from which a span says it
PAIR_GAIN = 0.15  # of that share, for which a span may be two neighbouring sentences
WEAK_EVIDENCE = 0.15  # below it no single sentence of a passage supports the claim

_SIGNS = "“”\"'「」『』 "


@dataclass(frozen=True, slots=True)
class Aligned:
    """Offsets in the passage, how they were found, and how well the wording agrees (0 to 1).

    What `differs` has nearly the same wording, but for a number or a "not".
    """

    start: int
    end: int
    method: Method
    score: float


class Prepared:
    """A passage that sentences are aligned with; what is known of it is found out once."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def spans(self) -> list[tuple[int, int]]:
        """Of its sentences."""
        return split_sentences(self.text)

    @cached_property
    def terms(self) -> list[frozenset[str]]:
        return [frozenset(words(self.text[start:end])) for start, end in self.spans]

    @cached_property
    def weights(self) -> Weights:
        return Weights(self.terms)

    @cached_property
    def folded(self) -> Folded:
        return fold(self.text)

    @cached_property
    def is_cjk(self) -> bool:
        return is_cjk(self.text)

    @property
    def whole(self) -> tuple[int, int]:
        start = len(self.text) - len(self.text.lstrip())
        return start, max(start, len(self.text.rstrip()))

    @cached_property
    def all_terms(self) -> frozenset[str]:
        return frozenset().union(*self.terms)

    def sentences_at(self, start: int, end: int, least: int = 1) -> tuple[int, int]:
        """The whole sentences that a span touches, with `least` characters where several do."""
        shared = [(min(end, last) - max(start, first), (first, last)) for first, last in self.spans]
        touched = [span for size, span in shared if size >= least] or [max(shared)[1]]
        return touched[0][0], touched[-1][1]


def align(sentence: str, passage: Prepared, known: frozenset[str] = frozenset()) -> Aligned:
    """The best span in whole sentences; the whole passage where none has enough of its words.

    `known` are numbers that the sentence may tell though the passage does not.
    """
    wanted = frozenset(words(sentence))
    found = _exact(sentence, passage)
    # Comparing letter by letter is dear: only where the words are there.
    if found is None and passage.weights.coverage(wanted, passage.all_terms) >= NEARLY_WORDS:
        found = _nearly(sentence, passage, known)
    return found or _by_words(wanted, passage)


def _exact(sentence: str, passage: Prepared) -> Aligned | None:
    """The same characters, white space and outer quotation marks aside."""
    parts = sentence.strip(_SIGNS).split()
    if len("".join(parts)) < SHORTEST_QUOTE:
        return None
    found = re.search(r"\s+".join(map(re.escape, parts)), passage.text)
    return Aligned(*passage.sentences_at(*found.span()), "exact", 1.0) if found else None


def _nearly(sentence: str, passage: Prepared, known: frozenset[str]) -> Aligned | None:
    """The same letters and digits, or nearly; it `differs` by a number or by a denial."""
    wanted, given = fold(sentence).letters, passage.folded
    if len(wanted) < SHORTEST_QUOTE or len(wanted) > min(len(given.letters), LONGEST):
        return None
    at = given.letters.find(wanted)
    if at >= 0:
        start, end, score = at, at + len(wanted), 1.0
    else:
        found = fuzz.partial_ratio_alignment(wanted, given.letters, score_cutoff=100 * NEARLY)
        if found is None or found.dest_start == found.dest_end:
            return None
        start, end, score = found.dest_start, found.dest_end, found.score / 100
    stretch = given.span(start, end)
    edge = int(EDGE * (stretch[1] - stretch[0])) if score < 1 else 1
    span = passage.sentences_at(*stretch, least=max(1, edge))
    told = numbers_told(sentence) - known
    is_same = told <= numbers_given(passage.text[slice(*span)]) and (
        is_denied(sentence) == is_denied(passage.text[slice(*stretch)])
    )
    return Aligned(*span, "fuzzy" if is_same else "differs", round(score, 3))


def _by_words(wanted: frozenset[str], passage: Prepared) -> Aligned:
    """The sentence with most of its words, or two neighbours that have clearly more of them."""
    weights = passage.weights
    shares = [weights.coverage(wanted, terms) for terms in passage.terms]
    if not shares:
        return Aligned(*passage.whole, "passage", 0.0)
    best = max(range(len(shares)), key=shares.__getitem__)
    share, span = shares[best], passage.spans[best]
    for at in (best - 1, best):
        if 0 <= at < len(shares) - 1:
            together = weights.coverage(wanted, passage.terms[at] | passage.terms[at + 1])
            if together >= share + PAIR_GAIN:
                share, span = together, (passage.spans[at][0], passage.spans[at + 1][1])
    if share < WEAK_EVIDENCE:
        return Aligned(*passage.whole, "passage", round(share, 3))
    return Aligned(*span, "words", round(share, 3))


_ORDER: dict[Method, int] = {
    "exact": 4, "fuzzy": 3, "differs": 2, "words": 1, "meaning": 1, "passage": 0,
}  # fmt: skip


def strength(found: Aligned) -> tuple[int, float]:
    """By which alignments with several passages compare: the same wording first."""
    return _ORDER[found.method], found.score
