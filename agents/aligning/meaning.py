"""Sentences that say the same in other words, by the embedded embedder; never across languages.

It costs some 5 ms of CPU a sentence, so it is asked last, in batches, and only so often an answer.

It was taught English alone. Of Chinese it knows many characters and no words, and any two sentences
are near: the cosine of one and the nearest sentence of a shuffled passage is .59 in the middle, of
English .09. So Chinese has a threshold of its own, by which wrong support is as rare as in English,
and an odd number of negations must agree, since one character moves a vector little. Measured with
`benchmarks/alignment.py --meaning` (questions with their answers put in, of those that wording
finds no support for; shares that are found to be supported):

              own passage   next passage of the article   shuffled passage
    xquad_en      .84                 .075                     .002
    xquad_zh      .29                 .024                     .001
    cmrc          .33                 .003                     .002
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.aligning.details import is_denied, numbers_given, numbers_told
from agents.aligning.spans import Aligned, Prepared
from gateway.embedding.local import local_embedder
from gateway.embedding.minilm import ModelFilesError
from gateway.wording import is_cjk

Embed = Callable[[Sequence[str]], NDArray[np.float32]]

SAME, SAME_CJK = 0.55, 0.82  # cosines from which two sentences say the same
MOST_TEXTS = 160  # that are embedded for one answer
MOST_SENTENCES = 12  # of one passage
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Open:
    """A sentence that wording did not align, and the passages that it may stand on."""

    sentence: str
    passages: tuple[Prepared, ...]

    @property
    def is_cjk(self) -> bool:
        return is_cjk(self.sentence)


def embed_locally(texts: Sequence[str]) -> NDArray[np.float32]:
    return local_embedder().embed(texts)


class Meanings:
    """Aligns by meaning as long as the answer's share lasts; vectors are kept for the answer."""

    def __init__(self, embed: Embed = embed_locally) -> None:
        self._embed = embed
        self._left = MOST_TEXTS
        self._vectors: dict[str, NDArray[np.float32]] = {}

    def align(self, open_ones: Sequence[Open]) -> list[tuple[int, Aligned] | None]:
        """For each the number of its passage, in their order, and the span; None: none is like it.

        Blocks while it computes: call it from a thread.
        """
        asked = [one if self._is_fit(one) else None for one in open_ones]
        self._learn([one for one in asked if one])
        return [self._best(one) if one else None for one in asked]

    @staticmethod
    def _is_fit(one: Open) -> bool:
        return any(passage.is_cjk == one.is_cjk for passage in one.passages)

    def _learn(self, asked: Sequence[Open]) -> None:
        """Embed what is not known yet, in one batch; nothing once the share is used up."""
        wanted = dict.fromkeys(
            text
            for one in asked
            for text in (one.sentence, *(said for _, _, said in _candidates(one)))
            if text not in self._vectors
        )
        texts = list(wanted)[: self._left]
        if not texts:
            return
        self._left -= len(texts)
        try:
            self._vectors |= zip(texts, self._embed(texts), strict=True)
        except (ModelFilesError, OSError) as error:
            log.warning("sentences are not compared by meaning: %s", error)
            self._left = 0

    def _best(self, one: Open) -> tuple[int, Aligned] | None:
        vector = self._vectors.get(one.sentence)
        found = [
            (float(self._vectors[said] @ vector), n, span)
            for n, span, said in _candidates(one)
            if vector is not None and said in self._vectors
        ]
        near, n, span = max(found, default=(0.0, 0, (0, 0)))
        said = one.passages[n].text
        least = SAME_CJK if one.is_cjk else SAME
        if near < least or not numbers_told(one.sentence) <= numbers_given(said):
            return None
        return n, Aligned(*span, "meaning", round(near, 3))


def _candidates(one: Open) -> list[tuple[int, tuple[int, int], str]]:
    """The sentences that may say it, in its own language."""
    found = [
        (n, span, passage.text[slice(*span)])
        for n, passage in enumerate(one.passages)
        if passage.is_cjk == one.is_cjk
        for span in passage.spans[:MOST_SENTENCES]
    ]
    if not one.is_cjk:
        return found
    return [each for each in found if is_denied(each[2]) == is_denied(one.sentence)]
