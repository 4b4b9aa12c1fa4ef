"""From what questions found to figures. Pure.

hit@k, the mean reciprocal rank (Voorhees 1999) and nDCG (Järvelin & Kekäläinen 2002), all at ten.
Each expected passage is worth one, once: a second passage with the same words adds nothing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from math import log2
from typing import Any
from uuid import UUID

from knowledge.quality.wording import plain

DEPTH = 10  # passages looked at
SHORTEST = 12  # characters of a passage inside a quote, without white space
HITS = (1, 5, 10)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An expected passage; `end` is 0 where its words are in no source text, or none were given."""

    document_id: UUID
    quote: str = ""
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Given:
    """A passage that was found."""

    document_id: UUID
    text: str
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """One question: `rank` of the first expected passage by 1; None where nothing is expected, or
    it was not found."""

    rank: int | None = None
    ndcg: float | None = None
    is_quiet: bool | None = None
    supported: float | None = None


def judge(wanted: Sequence[Wanted], given: Sequence[Given]) -> Judged:
    """Of a question that expects something."""
    open_wishes = list(wanted)
    gains, rank = [], None
    for n, passage in enumerate(given[:DEPTH], 1):
        met = [wish for wish in open_wishes if meets(wish, passage)]
        open_wishes = [wish for wish in open_wishes if wish not in met]
        gains.append(len(met))
        rank = rank or (n if met else None)
    ideal = _dcg([1] * min(len(wanted), DEPTH))
    return Judged(rank, min(1.0, _dcg(gains) / ideal) if ideal else None)


def judge_nothing(given: Sequence[Given]) -> Judged:
    """Of a question that must find nothing."""
    return Judged(is_quiet=not given)


def meets(wish: Wanted, passage: Given) -> bool:
    """Whether the passage is what was expected: it holds the words, or at least half of them."""
    if wish.document_id != passage.document_id:
        return False
    if not wish.quote:
        return True
    quote, text = plain(wish.quote), plain(passage.text)
    if quote in text or (len(text) >= SHORTEST and text in quote):
        return True
    shared = min(wish.end, passage.end) - max(wish.start, passage.start)
    return wish.end > wish.start and 2 * shared >= wish.end - wish.start


def _dcg(gains: Iterable[float]) -> float:
    return sum(gain / log2(n + 1) for n, gain in enumerate(gains, 1))


@dataclass(frozen=True, slots=True)
class Figures:
    """Of all questions of a run; None where no question says anything about it."""

    questions: int = 0
    expecting: int = 0
    nothing: int = 0
    hit_1: float | None = None
    hit_5: float | None = None
    hit_10: float | None = None
    mrr: float | None = None
    ndcg: float | None = None
    quiet: float | None = None
    supported: float | None = None
    p50_ms: float | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def figures_of(judged: Sequence[Judged], took_ms: Sequence[float] = ()) -> Figures:
    expecting = [one for one in judged if one.ndcg is not None]
    quiet = [float(one.is_quiet) for one in judged if one.is_quiet is not None]
    hits = [
        _mean([float(one.rank is not None and one.rank <= k) for one in expecting]) for k in HITS
    ]
    times = sorted(took_ms)
    return Figures(
        len(judged),
        len(expecting),
        len(quiet),
        hit_1=hits[0],
        hit_5=hits[1],
        hit_10=hits[2],
        mrr=_mean([1 / one.rank if one.rank else 0.0 for one in expecting]),
        ndcg=_mean([one.ndcg or 0.0 for one in expecting]),
        quiet=_mean(quiet),
        supported=_mean([one.supported for one in judged if one.supported is not None]),
        p50_ms=times[len(times) // 2] if times else None,
    )


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 6) if values else None
