"""How near texts lie that have nothing to do with each other, by an embedder that nobody measured.

By some embedders any two texts have a cosine of 0.7, by others of 0.1: for whoever does not know
which, everything resembles everything, and nothing found is never an answer. A sample of the
vectors that are stored tells it: the mean of pairs from different documents, and how far they
spread. It is remembered in the process for ten minutes, and is nobody's question or passage.
"""

import random
import time
from threading import Lock

import numpy as np
from django.db.models import Max, Min

from knowledge.embeddings.storages import column_of
from knowledge.models import Embedding, EmbeddingVersion
from knowledge.retrieval.thresholds import MEASURED, UNMEASURED, Thresholds

SAMPLE = 200  # vectors
LOOKED_FOR = 8  # ids for each of them: some are gone, or another version's
FEWEST = 30  # pairs; fewer say nothing
SPREAD = 2.0  # standard deviations above the mean: by chance two in a hundred pairs lie nearer
HIGHEST = 0.9
REMEMBERED_SECONDS = 600.0

_lock = Lock()
_remembered: dict[int, tuple[float, float]] = {}  # by the id of a version


def thresholds_for(version: EmbeddingVersion) -> Thresholds:
    """Those that were measured for its embedder, else above what its own vectors have in common."""
    if version.model in MEASURED:
        return MEASURED[version.model]
    return UNMEASURED.above(base_of(version))


def base_of(version: EmbeddingVersion) -> float:
    """The cosine up to which vectors of this version say nothing."""
    now = time.monotonic()
    with _lock:
        until, base = _remembered.get(version.pk, (0.0, 0.0))
    if until > now:
        return base
    base = _measured(version)
    with _lock:
        _remembered[version.pk] = (now + REMEMBERED_SECONDS, base)
    return base


def forget() -> None:
    with _lock:
        _remembered.clear()


def _measured(version: EmbeddingVersion) -> float:
    """Zero where there is too little to measure."""
    span = Embedding.objects.aggregate(first=Min("pk"), last=Max("pk"))
    if span["first"] is None:
        return 0.0
    places = range(span["first"], span["last"] + 1)
    chance = random.Random(1)  # noqa: S311 - a sample, no secret
    asked = chance.sample(places, min(len(places), SAMPLE * LOOKED_FOR))
    rows = Embedding.objects.filter(version=version)
    known = list(rows.filter(pk__in=asked).order_by("pk").values_list("pk", flat=True))
    chosen = rows.filter(pk__in=chance.sample(known, min(len(known), SAMPLE)))
    found = list(chosen.values_list("chunk__document_id", column_of(version.storage)))
    documents = np.array([str(document) for document, _ in found])
    matrix = np.asarray([vector for _, vector in found], np.float32)
    if len(found) < 2:
        return 0.0
    pairs = np.triu(documents[:, None] != documents[None, :], 1)
    if pairs.sum() < FEWEST:
        return 0.0
    cosines = (matrix @ matrix.T)[pairs]
    return float(np.clip(cosines.mean() + SPREAD * cosines.std(), 0.0, HIGHEST))
