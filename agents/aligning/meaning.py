"""Sentences that say the same in other words, by the embedded embedder; for English alone.

It costs some 5 ms of CPU a sentence, so it is asked last, in batches, and only so often an answer.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agents.aligning.details import numbers_given, numbers_told
from agents.aligning.spans import Aligned, Prepared
from gateway.embedding.local import local_embedder
from gateway.embedding.minilm import ModelFilesError
from gateway.wording import is_cjk

Embed = Callable[[Sequence[str]], NDArray[np.float32]]

SAME = 0.55  # cosine from which two sentences say the same (`benchmarks/alignment.py`)
MOST_TEXTS = 160  # that are embedded for one answer
MOST_SENTENCES = 12  # of one passage
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Open:
    """A sentence that wording did not align, and the passages that it may stand on."""

    sentence: str
    passages: tuple[Prepared, ...]


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
        return not is_cjk(one.sentence) and not all(passage.is_cjk for passage in one.passages)

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
        if near < SAME or not numbers_told(one.sentence) <= numbers_given(said):
            return None
        return n, Aligned(*span, "meaning", round(near, 3))


def _candidates(one: Open) -> list[tuple[int, tuple[int, int], str]]:
    return [
        (n, span, passage.text[slice(*span)])
        for n, passage in enumerate(one.passages)
        if not passage.is_cjk
        for span in passage.spans[:MOST_SENTENCES]
    ]
