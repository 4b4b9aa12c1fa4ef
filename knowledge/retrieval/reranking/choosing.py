"""Which reranker is there, how long it may take, and what becomes of its scores."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from django.conf import settings

from gateway.labels import labels_of
from knowledge.retrieval.reranking.crossing import find_cross_encoder
from knowledge.retrieval.reranking.endpoint import ask_endpoint, rerank_model
from knowledge.retrieval.reranking.features import score_by_features
from knowledge.retrieval.reranking.listwise import ask_model
from knowledge.retrieval.reranking.types import Asked, Nonsense, Reranked, Trouble, Way, texts_of
from knowledge.types import Passage
from observability.patience import run_patiently

log = logging.getLogger(__name__)


async def put_in_order(asked: Asked, passages: Sequence[Passage], depth: int) -> Reranked:
    """The first `depth` passages by their new scores, the others behind them as they were."""
    began = time.perf_counter()
    first, rest = list(passages[:depth]), passages[depth:]
    name, way = await _find(asked)
    trouble: Trouble = ""
    scores: list[float] = []
    try:
        async with asyncio.timeout(settings.PARLEY_RERANK_SECONDS):
            scores, name = await _score(way, name, asked, first)
    except TimeoutError:
        trouble = "late"
    except Nonsense:
        trouble = "nonsense"
    except Exception as error:  # noqa: BLE001 - an answer never fails for want of an order
        log.info("no reranking by %s: %s", way, type(error).__name__)
        trouble = "unavailable"
    ordered = (*_ordered(first, scores), *_behind(rest)) if scores else tuple(passages)
    took_ms = (time.perf_counter() - began) * 1000
    return Reranked(ordered, way, len(first), took_ms, name, trouble)


async def name_of(asked: Asked) -> str:
    """Who would put passages in order now: its kind, and its name where it has one."""
    name, way = await _find(asked)
    return f"{way}:{name}" if name else way


async def _find(asked: Asked) -> tuple[str, Way]:
    """The first that is there: an endpoint, a model on this machine, a chat model, or none."""
    if name := await run_patiently(rerank_model):
        return name, "endpoint"
    if find_cross_encoder() is not None:
        return "", "cross_encoder"
    if asked.chat is not None and asked.routes is not None:
        labels = labels_of(asked.demands)
        if any(labels <= route.labels for route in await asked.routes(asked.model)):
            return asked.model, "listwise"
    return "", "features"


async def _score(
    way: Way, name: str, asked: Asked, passages: Sequence[Passage]
) -> tuple[list[float], str]:
    """A score for each passage, and by which model."""
    if way == "endpoint":
        return await ask_endpoint(name, asked, texts_of(passages)), name
    if way == "listwise":
        return await ask_model(asked, texts_of(passages))
    encoder = find_cross_encoder() if way == "cross_encoder" else None
    if encoder is not None:
        return await asyncio.to_thread(encoder.score, asked.question, texts_of(passages)), name
    return score_by_features(asked.question, passages), name


def _ordered(passages: Sequence[Passage], scores: Sequence[float]) -> list[Passage]:
    """Best first, with scores between 0.5 and 1, whatever the model's own scale is."""
    low, high = min(scores, default=0.0), max(scores, default=0.0)
    width = (high - low) or 1.0
    order = sorted(range(len(passages)), key=lambda n: -scores[n])
    return [replace(passages[n], score=0.5 + 0.5 * (scores[n] - low) / width) for n in order]


def _behind(passages: Sequence[Passage]) -> list[Passage]:
    """Those that nobody looked at, behind all others in their own order."""
    best = max((passage.score for passage in passages), default=0.0) or 1.0
    return [replace(passage, score=0.4 * passage.score / best) for passage in passages]
