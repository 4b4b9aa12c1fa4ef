"""What each storage of a model's vectors finds and costs, measured on passages that are here.

A sample of vectors goes into a temporary table of its own, once in each form, with the index that
the version would have. Questions are vectors of passages that are left out of it: they lie where
questions lie, and cost nothing. Exact is what reading every float finds.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Max, Min
from numpy.typing import NDArray

from gateway.embedding.embedder import Embedder, Vectors
from knowledge.chunking import index_text
from knowledge.embeddings.storages import (
    FLOAT,
    STORAGES,
    column_of,
    dense_leg,
    index_name,
    index_sql,
    is_indexable,
    search_settings,
    to_text,
)
from knowledge.models import Chunk, Embedding, EmbeddingVersion, StorageMeasurement

KNOWN_SAMPLE = 5_000  # vectors that lie there already …
MOST_NUMBERS = 4_000_000  # … and fewer of long ones: they are held in memory
EMBEDDED_SAMPLE = 512  # passages that are embedded for it: seconds, and less than a cent
QUESTIONS = 50
BATCH = 64
FOUND = 10  # recall@10
WANTED = 100  # as many as search takes from this leg
MEMORY = "256MB"
TABLE = "measured_embedding"
MAKE = """
create temporary table {table} (
    chunk_id integer, version_id integer, script text, vector halfvec, precise vector
) on commit drop
"""

Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _Form:
    """A version as `storages` asks for it, without a row of its own."""

    pk: int
    dimensions: int
    storage: str
    is_multilingual: bool = True


@dataclass(frozen=True, slots=True)
class Sample:
    """Unit vectors, and how many passages a second were embedded for them, where any was."""

    vectors: Vectors
    rate: float | None


def measure(embedder: Embedder, report: Report) -> StorageMeasurement:
    """Measure and store the figures. `report` hears of every step and may stop it by raising.

    Raises what the embedder raises, and ValueError when there are no passages to measure with.
    """
    sample = take_sample(embedder, report)
    if len(sample.vectors) < 2:
        raise ValueError
    matrix = np.random.default_rng(1).permutation(sample.vectors)
    asked = max(1, min(QUESTIONS, len(matrix) // 10))
    stored, questions = matrix[asked:], matrix[:asked]
    nearest = np.argsort(-(questions @ stored.T), axis=1)[:, :FOUND]
    figures: dict[str, dict[str, float]] = {}
    dimensions = int(matrix.shape[1])
    forms = [_Form(0, dimensions, storage) for storage in STORAGES]
    forms = [form for form in forms if is_indexable(form)]
    for number, form in enumerate(forms):
        figures[form.storage] = measure_storage(form, stored, questions, nearest)
        report(number + 1, len(forms))
    return StorageMeasurement.objects.create(
        model=embedder.name,
        dimensions=dimensions,
        sample=len(stored),
        rate=sample.rate,
        figures=figures,
    )


def take_sample(embedder: Embedder, report: Report) -> Sample:
    """Vectors of this model that some version has, else some that are made now."""
    versions = EmbeddingVersion.objects.filter(model=embedder.name)
    known = versions.exclude(state=EmbeddingVersion.State.DROPPING)
    # Floats rather than what was rounded, where there are some.
    version = min(known, key=lambda one: one.storage != FLOAT, default=None)
    if version is not None:
        found = _stored_vectors(version)
        if len(found) >= EMBEDDED_SAMPLE:
            return Sample(found, version.rate)
    texts = _some_texts(embedder)
    began = time.monotonic()
    parts: list[Vectors] = []
    for start in range(0, len(texts), BATCH):
        parts.append(embedder.embed(texts[start : start + BATCH]))
        report(min(start + BATCH, len(texts)), len(texts) + 1)
    rate = len(texts) / (time.monotonic() - began) if texts else None
    return Sample(np.vstack(parts) if parts else np.empty((0, 1), np.float32), rate)


def measure_storage(
    form: Any, stored: Vectors, questions: Vectors, nearest: NDArray[Any]
) -> dict[str, float]:
    """Recall@10, bytes a passage and p50 of one storage, in a transaction that leaves nothing."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(MAKE.format(table=TABLE))
        _put(cursor, form, stored)
        cursor.execute(f"analyze {TABLE}")
        heap = _bytes(cursor, TABLE)
        cursor.execute("select set_config('maintenance_work_mem', %s, true)", [MEMORY])
        cursor.execute(index_sql(form, is_concurrent=False, table=TABLE))
        graph = _bytes(cursor, index_name(form))
        settings = {
            "hnsw.iterative_scan": "relaxed_order",
            "enable_seqscan": "off",
            "enable_sort": "on",
            **search_settings(form, WANTED),
        }
        for name, value in settings.items():
            cursor.execute("select set_config(%s, %s, true)", [name, value])
        found, took = _ask(cursor, form, questions)
        transaction.set_rollback(True)
    hits = [len(set(a) & set(b)) for a, b in zip(found, nearest.tolist(), strict=True)]
    return {
        "recall": round(sum(hits) / (len(hits) * nearest.shape[1]), 4),
        "bytes": round((heap + graph) / len(stored)),
        "p50_ms": round(median(took), 2),
    }


def _put(cursor: CursorWrapper, form: Any, stored: Vectors) -> None:
    column = column_of(form.storage)
    with cursor.copy(f"copy {TABLE} (chunk_id, version_id, script, {column}) from stdin") as copy:
        for number, vector in enumerate(stored):
            copy.write_row((number, form.pk, "latin", to_text(form.storage, vector)))


def _ask(
    cursor: CursorWrapper, form: Any, questions: Vectors
) -> tuple[list[list[int]], list[float]]:
    """What each question finds, and its milliseconds; the first round only warms up."""
    leg = dense_leg(form, WANTED, is_exact=False, within="true", table=TABLE)
    found: list[list[int]] = []
    took: list[float] = []
    for vector in [questions[0], *questions]:
        began = time.perf_counter()
        cursor.execute(leg.sql, [to_text(FLOAT, vector)] * leg.questions)
        rows = cursor.fetchall()
        took.append((time.perf_counter() - began) * 1000)
        found.append([row[0] for row in sorted(rows, key=lambda row: -row[1])[:FOUND]])
    return found[1:], took[1:]


def _bytes(cursor: CursorWrapper, name: str) -> int:
    cursor.execute("select pg_total_relation_size(to_regclass(%s))", [name])
    (size,) = cursor.fetchone() or (0,)
    return int(size)


def _stored_vectors(version: EmbeddingVersion) -> Vectors:
    """A random part of them, also where there are millions: by places spread over their ids."""
    column = column_of(version.storage)
    rows = Embedding.objects.filter(version=version)
    most = max(EMBEDDED_SAMPLE, min(KNOWN_SAMPLE, MOST_NUMBERS // version.dimensions))
    span = rows.aggregate(first=Min("pk"), last=Max("pk"))
    if span["first"] is None:
        return np.empty((0, version.dimensions), np.float32)
    places = range(span["first"], span["last"] + 1)
    chance = random.Random(1)  # noqa: S311 - a sample, no secret
    if len(places) > most * 4:
        rows = rows.filter(pk__in=chance.sample(places, most * 4))
    known = list(rows.values_list("pk", flat=True)[: most * 4])
    chosen = rows.filter(pk__in=chance.sample(known, min(most, len(known))))
    return np.asarray(list(chosen.values_list(column, flat=True)), np.float32)


def _some_texts(embedder: Embedder) -> list[str]:
    rows = Chunk.objects.order_by("-pk")
    if not embedder.is_multilingual:
        rows = rows.exclude(script=Chunk.Script.CJK)
    fields = ("document__title", "heading_path", "text", "head", "context")
    return [index_text(*told) for told in rows.values_list(*fields)[:EMBEDDED_SAMPLE]]
