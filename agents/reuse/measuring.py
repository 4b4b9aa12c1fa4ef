"""How often similar questions are not the same, on a set that people labelled.

No agent reuses the answers to similar questions before this was measured for the embedding model in
use and the agent's nearness, and the share of false hits among all hits was within the limit.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.payers import payer_of
from agents.reuse.models import Measurement
from agents.reuse.wording import is_readable, may_share
from gateway.embedding.embedder import Embedder, get_embedder
from knowledge.versions import find_active_version

SHIPPED = Path(__file__).parent / "questions.csv"
FEWEST = 20  # pairs of either label
MOST = 5_000  # pairs
COLUMNS = ("question", "other", "same")


class BadQuestions(ValueError):
    """A file that is no labelled set; says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two questions, and whether one answer does for both."""

    question: str
    other: str
    is_same: bool


def shipped_pairs() -> list[Pair]:
    return read_pairs(SHIPPED.read_text(encoding="utf-8"))


def read_pairs(text: str) -> list[Pair]:
    """From CSV with the columns `question`, `other` and `same` (1 or 0); raises BadQuestions."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    if not set(COLUMNS) <= set(reader.fieldnames or ()):
        names = ", ".join(COLUMNS)
        raise BadQuestions(_("The first line must name the columns {names}.").format(names=names))
    pairs = list(_pairs(reader))
    if len(pairs) > MOST:
        raise BadQuestions(_("At most {count} pairs.").format(count=MOST))
    same = sum(pair.is_same for pair in pairs)
    if min(same, len(pairs) - same) < FEWEST:
        text = _("At least {count} pairs that mean the same and as many that do not are needed.")
        raise BadQuestions(text.format(count=FEWEST))
    return pairs


def _pairs(reader: "csv.DictReader[str]") -> Iterator[Pair]:
    for row in reader:
        question, other, same = (str(row[name] or "").strip() for name in COLUMNS)
        if not (question and other and same in {"0", "1"}):
            text = _("Line {number}: two questions, and 1 or 0.")
            raise BadQuestions(text.format(number=reader.line_num))
        yield Pair(question, other, same == "1")


def measure(
    pairs: Sequence[Pair], similarity: int, source: str, by: User | None = None
) -> Measurement:
    """Measure with the embedder in use, and store what was found; raises what the embedder raises.

    A pair is a hit exactly when an agent would take it for one, all other circumstances the same.
    """
    version = find_active_version()
    near = nearness(pairs, get_embedder(version.model, payer=payer_of(by, "embedding")))
    hits = [
        pair
        for pair, value in zip(pairs, near, strict=True)
        if value >= similarity / 100
        and may_share(pair.question, pair.other)
        and is_readable(pair.question + pair.other, is_multilingual=version.is_multilingual)
    ]
    return Measurement.objects.create(
        embedder=version.model,
        similarity=similarity,
        questions=source[:120],
        pairs=len(pairs),
        different=sum(not pair.is_same for pair in pairs),
        hits=len(hits),
        false_hits=sum(not pair.is_same for pair in hits),
        limit=settings.PARLEY_FALSE_HITS,
        measured_by=by,
    )


def nearness(pairs: Sequence[Pair], embedder: Embedder) -> list[float]:
    texts = list(dict.fromkeys(text for pair in pairs for text in (pair.question, pair.other)))
    vectors = dict(zip(texts, np.asarray(embedder.embed(texts), np.float32), strict=True))
    return [float(vectors[pair.question] @ vectors[pair.other]) for pair in pairs]
