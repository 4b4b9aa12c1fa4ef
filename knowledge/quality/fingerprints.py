"""What a collection's search is like right now, so that a change of any part of it is noticed.

Parts that live above this package (an agent's prompt) are told by whoever has them: `tell`.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from django.db.models import Count, Max, Sum

from knowledge.analyzer import analyze
from knowledge.ingestion.steps import SPLITTER, fingerprint
from knowledge.models import (
    Collection,
    ContentSum,
    EmbeddingVersion,
    GoldenQuestion,
    QualityRun,
    SearchWeights,
)
from knowledge.quality.weighing import read_index
from knowledge.switches import Switch, beyond_usual, switched_on
from knowledge.versions import find_active_version

Cause = QualityRun.Cause
# Read by both halves of the analyzer: what changes in it changes what becomes of this.
SAMPLE = "The DiffExecutor's running_jobs aren’t 2,5 Ｆｕｌｌ width; 國際資料庫與资料库 한국어 café"
# In this order the first difference gives a run its cause.
PARTS = {
    "embedder": Cause.EMBEDDER,
    "analyzer": Cause.ANALYZER,
    "chunker": Cause.CHUNKER,
    "weights": Cause.WEIGHTS,
    "glossary": Cause.GLOSSARY,
    "ways": Cause.WEIGHTS,
    "reranker": Cause.WEIGHTS,
    "prompt": Cause.PROMPT,
    "content": Cause.CONTENT,
    "questions": Cause.QUESTIONS,
}

RERANKER = "reranker"  # counts only where something is reranked

_told: dict[str, Callable[[Collection], str]] = {}


def tell(part: str, say: Callable[[Collection], str]) -> None:
    """Let `say(collection)` be a part of every fingerprint; at start, from a layer above."""
    _told[part] = say


def settings_of(
    collection: Collection,
    version: EmbeddingVersion | None = None,
    ways: frozenset[Switch] | None = None,
) -> dict[str, str]:
    """The parts by name; by another embedding version than the searched one, and by other ways of
    understanding than the collection's own, if these are given."""
    ways = ways_of(collection) if ways is None else ways
    named, glossary = " ".join(sorted(ways)), _glossary(collection)
    told = {part for part in _told if part != RERANKER or Switch.RERANK in ways}
    return {
        "content": _content(collection),
        "chunker": SPLITTER,
        "analyzer": _analyzer(),
        "embedder": name_of(version or find_active_version()),
        "weights": _weights(collection),
        "questions": _questions(collection),
        **({"glossary": glossary} if glossary else {}),
        **({"ways": named} if named else {}),
        **{part: _told[part](collection) for part in sorted(told)},
    }


def ways_of(collection: Collection) -> frozenset[Switch]:
    """What is done with questions to it, and to others is not."""
    return beyond_usual(collection.understanding)


def ways_in(settings: Mapping[str, Any]) -> frozenset[Switch]:
    """Those that settings name; a name that there is no switch of any more counts as none."""
    named = str(settings.get("ways", "")).split()
    return frozenset(switch for switch in Switch if switch in named)


def cause_of(before: dict[str, Any], now: dict[str, Any]) -> str | None:
    """What is different; None where nothing is."""
    changed = (cause for part, cause in PARTS.items() if before.get(part) != now.get(part))
    return next(changed, None)


def name_of(version: EmbeddingVersion) -> str:
    return f"{version.pk}:{version.model}:{version.dimensions}:{version.storage}"


def _content(collection: Collection) -> str:
    parts = Collection.parts_apart.filter(part_of=collection).values_list("pk", flat=True)
    found = ContentSum.objects.filter(collection_id__in=[collection.pk, *parts]).aggregate(
        documents=Sum("documents"), total=Sum("total")
    )
    return f"{found['documents'] or 0}:{found['total'] or 0}"


def _weights(collection: Collection) -> str:
    rows = SearchWeights.objects.filter(collection=collection).order_by("script")
    values = rows.values_list("script", "dense", "threshold", "rerank_depth")
    shape = read_index(collection).shape
    return fingerprint(str(shape), *(str(row) for row in values))[:16]


def _glossary(collection: Collection) -> str:
    """Empty where no question is asked in other words."""
    if Switch.GLOSSARY not in switched_on({}, [collection.understanding]):
        return ""
    found = collection.glossary.aggregate(count=Count("pk"), last=Max("updated_at"))
    return f"{found['count']}:{found['last']}" if found["count"] else ""


def _questions(collection: Collection) -> str:
    """Expectations change together with the question they belong to."""
    rows = GoldenQuestion.objects.counted().filter(collection=collection)
    found = rows.aggregate(count=Count("pk"), last=Max("updated_at"))
    return f"{found['count']}:{found['last'] or ''}"


@cache
def _analyzer() -> str:
    return fingerprint(*analyze(SAMPLE))[:16]
