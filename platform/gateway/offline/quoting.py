"""Choosing the sentences of a few passages that answer a question, or none.

A sentence is worth its share of the question's weighted words, half of what the sentences around
it cover, a little for a number where a number is asked for and, for English, its similarity by
embedding. Whether anything is quoted at all is decided for the passages together. The numbers were
measured on questions with and without an answer among eight passages
(`benchmarks/offline_answers.py`).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from gateway.sentences import split_sentences
from gateway.types import PassageText
from gateway.wording import Weights, is_cjk, words

Embed = Callable[[Sequence[str]], NDArray[np.float32]]

MOST_SENTENCES = 4
OPENING_SENTENCES = 2  # of each document, where nothing was asked
EMBEDDED_SENTENCES = 10  # the lexically best; each costs about 5 ms of CPU
LONGEST_SENTENCE = 600  # characters; what is longer is a table or a list without full stops
SHORTEST_SENTENCE = 8
WINDOW = 4  # sentences that may answer together
PASSAGE_WEIGHT = 0.5
NUMBER_WEIGHT = 0.1
LEAST_OF_BEST = 0.72  # a further sentence is quoted if it is worth this share of the best one
SAME_SENTENCE = 0.6  # shared words from which a sentence repeats another
SIMILARITY_SHARE = 0.6  # of similarity against coverage, in the decision to answer in English
ENOUGH_LATIN = 0.42
ENOUGH_CJK = 0.35
ENOUGH_ALIKE = 0.5  # similarity that is enough without a shared word

_ASKS_FOR_NUMBER = re.compile(
    r"\bhow (?:many|much|old|long|far|tall|large|big|often)\b|\bwhen\b|"
    r"\b(?:what|which) (?:year|date|day|century|percentage|number)\b|"
    r"多少|几[个年名位次月日天]|何时|哪一?年|什么时候|甚麼時候|什麼時候|幾[個年名位次月日天]",
    re.IGNORECASE,
)
_MARKS = ("?", "？")
_CLOSING = " \"'”’»」』)）*_`"
_NUMBER = re.compile(r"\d|[一二三四五六七八九十百千万萬]{2,}")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a passage; `position` counts sentences over all passages."""

    n: int
    position: int
    text: str
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Scored:
    sentence: Sentence
    value: float


def choose_sentences(
    question: str, passages: Sequence[PassageText], embed: Embed | None
) -> list[Sentence]:
    """The sentences to quote, in reading order, the best passage first; empty if none fits.

    Without a question each document is quoted as it begins.

    `embed` is an English embedder or None; a Chinese question never uses it.
    """
    sentences = _sentences(passages)
    if not question:
        return _beginnings(sentences, passages)
    wanted = words(question)
    if not sentences or not wanted:
        return []
    weights = Weights([sentence.terms for sentence in sentences])
    covered = {p.n: _best_window(p, sentences, wanted, weights) for p in passages}
    asks_for_number = bool(_ASKS_FOR_NUMBER.search(question))
    scored = [
        _Scored(s, _lexical_value(s, wanted, weights, covered[s.n], asks_for_number))
        for s in sentences
        if not _only_asks(s.text, question)
    ]
    scored.sort(key=lambda found: -found.value)
    if not scored:
        return []
    if embed is None or is_cjk(question):
        is_enough = max(covered.values()) >= ENOUGH_CJK
    else:
        scored = scored[:EMBEDDED_SENTENCES]
        similar = _similarities(question, [found.sentence.text for found in scored], embed)
        evidence = SIMILARITY_SHARE * max(similar) + (1 - SIMILARITY_SHARE) * max(covered.values())
        is_enough = evidence >= ENOUGH_LATIN or max(similar) >= ENOUGH_ALIKE
        pairs = zip(scored, similar, strict=True)
        scored = [_Scored(found.sentence, found.value + near) for found, near in pairs]
    return _reading_order(_diverse(scored)) if is_enough else []


def _beginnings(sentences: Sequence[Sentence], passages: Sequence[PassageText]) -> list[Sentence]:
    """The first sentences of the first passage of each title."""
    heads = {passage.title: passage.n for passage in reversed(passages)}.values()
    return [
        sentence
        for n in sorted(heads)
        for sentence in [own for own in sentences if own.n == n][:OPENING_SENTENCES]
    ]


def _sentences(passages: Sequence[PassageText]) -> list[Sentence]:
    found: list[Sentence] = []
    for passage in passages:
        for start, end in split_sentences(passage.text):
            for text in _quotable(passage.text[start:end]):
                found.append(Sentence(passage.n, len(found), text, tuple(words(text))))
    return found


def _quotable(sentence: str) -> list[str]:
    """The sentence; of one too long (a table, code) its lines that are not."""
    pieces = [sentence] if len(sentence) <= LONGEST_SENTENCE else sentence.splitlines()
    trimmed = map(str.strip, pieces)
    return [piece for piece in trimmed if SHORTEST_SENTENCE <= len(piece) <= LONGEST_SENTENCE]


def _only_asks(sentence: str, question: str) -> bool:
    """A question is no answer, and neither is what repeats this one, as examples in a manual do."""
    if sentence.rstrip(_CLOSING).endswith(_MARKS):
        return True
    asked = question.strip()
    return asked.endswith(_MARKS) and _bare(asked) in _bare(sentence)


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _best_window(
    passage: PassageText, sentences: list[Sentence], wanted: list[str], weights: Weights
) -> float:
    """Coverage by the title and the best few neighbouring sentences.

    Not by the whole passage: a long one covers half of any Chinese question by chance.
    """
    title = words(passage.title)
    own = [sentence.terms for sentence in sentences if sentence.n == passage.n]
    starts = range(max(1, len(own) - WINDOW + 1))
    windows = ([*title, *chain.from_iterable(own[start : start + WINDOW])] for start in starts)
    return max(weights.coverage(wanted, window) for window in windows)


def _lexical_value(
    sentence: Sentence, wanted: list[str], weights: Weights, covered: float, asks_for_number: bool
) -> float:
    value = weights.coverage(wanted, sentence.terms) + PASSAGE_WEIGHT * covered
    if asks_for_number and _NUMBER.search(sentence.text):
        value += NUMBER_WEIGHT
    return value


def _similarities(question: str, texts: list[str], embed: Embed) -> list[float]:
    vectors = embed([question, *texts])
    return [float(near) for near in vectors[1:] @ vectors[0]]


def _diverse(scored: list[_Scored]) -> list[Sentence]:
    """Best first, without what repeats an earlier one or is much weaker than the best."""
    scored = sorted(scored, key=lambda found: -found.value)
    chosen: list[Sentence] = []
    for found in scored:
        if found.value < LEAST_OF_BEST * scored[0].value or len(chosen) == MOST_SENTENCES:
            break
        if not any(_shared(found.sentence, other) >= SAME_SENTENCE for other in chosen):
            chosen.append(found.sentence)
    return chosen


def _shared(one: Sentence, other: Sentence) -> float:
    first, second = set(one.terms), set(other.terms)
    return len(first & second) / max(1, min(len(first), len(second)))


def _reading_order(chosen: list[Sentence]) -> list[Sentence]:
    """Passages in the order of their best sentence, sentences in the order of the text."""
    rank: dict[int, int] = {}
    for sentence in chosen:
        rank.setdefault(sentence.n, len(rank))
    return sorted(chosen, key=lambda sentence: (rank[sentence.n], sentence.position))
