"""What people are shown of the search index: versions, their figures, what another would take."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection

from events.models import Job
from knowledge.embeddings import indexes, versions
from knowledge.embeddings.estimates import Estimate, estimate
from knowledge.embeddings.filling import count_vectors
from knowledge.embeddings.storages import STORAGES
from knowledge.models import Chunk, Embedding, EmbeddingVersion, StorageMeasurement

SHARE = """
with spaces as (select id from knowledge_collection
                where id = %(collection)s or part_of_id = %(collection)s)
select (select count(*) from knowledge_embedding
        where version_id = %(version)s and collection_id in (select id from spaces)),
       (select count(*) from knowledge_chunk
        where collection_id in (select id from spaces)
          and (%(multilingual)s or script <> 'cjk'))
"""
SHOWN_JOBS = (versions.FILL, versions.DROP, "knowledge.jobs.switch_embedder")


@dataclass(frozen=True, slots=True)
class Shown:
    """A version with its figures. `bytes` are of its vectors and its index, `job` is the open one,
    `rest` what filling it further would take, `reason` why the last filling failed."""

    version: EmbeddingVersion
    vectors: int
    passages: int
    bytes: int
    is_indexed: bool
    job: Job | None = None
    rest: Estimate | None = None
    reason: str = ""

    @property
    def missing(self) -> int:
        return self.passages - self.vectors

    @property
    def percent(self) -> int:
        """Rounded down: a hundred is all."""
        return self.vectors * 100 // self.passages if self.passages else 100


@dataclass(frozen=True, slots=True)
class Choice:
    """A storage of a model, with what was measured of it; `bytes` are of all passages."""

    storage: str
    label: str
    recall: float | None = None
    bytes: int | None = None
    p50_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Another:
    """What a version of this model would take and give."""

    model: str
    estimate: Estimate
    choices: list[Choice]
    measured: StorageMeasurement | None = None
    measuring: Job | None = None
    reason: str = ""
    taken: list[str] = field(default_factory=list)  # storages there is a version of already


def list_shown() -> list[Shown]:
    """Every version: the searched one first, then the newest."""
    found = sorted(EmbeddingVersion.objects.all(), key=lambda one: (not one.is_active, -one.pk))
    return [show(version) for version in found]


def show(version: EmbeddingVersion) -> Shown:
    vectors, passages = count_vectors(version)
    job = next(iter(versions.open_jobs(version, SHOWN_JOBS)), None)
    return Shown(
        version=version,
        vectors=vectors,
        passages=passages,
        bytes=vector_bytes(version, vectors) + indexes.index_bytes(version),
        is_indexed=indexes.is_built(version),
        job=job,
        rest=estimate(version) if vectors < passages else None,
        reason="" if job else _last_reason(version),
    )


def look_at(model: str) -> Another:
    """For a model that somebody thinks of searching by."""
    measured = StorageMeasurement.objects.filter(model=model).first()
    own = EmbeddingVersion.objects.filter(model=model)
    taken = list(own.values_list("storage", flat=True))
    known = own.first()
    like = EmbeddingVersion(model=model, is_multilingual=known.is_multilingual if known else True)
    measuring = versions.find_measuring(model)
    return Another(
        model=model,
        estimate=estimate(like),
        choices=list(_choices(measured)),
        measured=measured,
        measuring=measuring,
        reason="" if measuring else _last_measuring(model),
        taken=taken,
    )


def share_of(collection_id: UUID, version: EmbeddingVersion) -> tuple[int, int]:
    """How many passages of a collection have their vector, of how many that should."""
    values: dict[str, Any] = {
        "version": version.pk,
        "collection": collection_id,
        "multilingual": version.is_multilingual,
    }
    with connection.cursor() as cursor:
        cursor.execute(SHARE, values)
        done, total = cursor.fetchone() or (0, 0)
    return done, max(done, total)


def _choices(measured: StorageMeasurement | None) -> list[Choice]:
    labels = dict(EmbeddingVersion.Storage.choices)
    figures: dict[str, Any] = measured.figures if measured else {}
    passages = Chunk.objects.count() if measured else 0
    return [
        Choice(
            storage,
            str(labels[storage]),
            figures.get(storage, {}).get("recall"),
            figures[storage]["bytes"] * passages if storage in figures else None,
            figures.get(storage, {}).get("p50_ms"),
        )
        for storage in STORAGES
        if not figures or storage in figures
    ]


def vector_bytes(version: EmbeddingVersion, count: int) -> int:
    """Of its rows: the width of one is that of all."""
    column = "precise" if version.storage == EmbeddingVersion.Storage.FLOAT else "vector"
    first = Embedding.objects.filter(version=version).values("pk")[:1]
    with connection.cursor() as cursor:
        sql, values = first.query.sql_with_params()
        cursor.execute(
            f"select pg_column_size({column}) + 80 from knowledge_embedding where id in ({sql})",  # noqa: S608
            values,
        )
        row = cursor.fetchone()
    return int(row[0]) * count if row else 0


def _last_reason(version: EmbeddingVersion) -> str:
    return _reason(Job.objects.filter(task=versions.FILL, arguments__version_id=version.pk))


def _last_measuring(model: str) -> str:
    return _reason(Job.objects.filter(task=versions.MEASURE, arguments__model=model))


def _reason(found: Any) -> str:
    last = found.exclude(finished_at=None).order_by("-pk").first()
    return last.reason if last is not None and last.status == Job.Status.FAILED else ""
