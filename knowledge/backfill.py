"""Changing the embedding model: fill a second version beside the searched one, then flip.

Search goes on with the old version until every passage has its new vector. The old vectors stay,
so going back is a short backfill and a flip.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, transaction

from accounts.budgets.keeper import BUDGETS
from gateway.embedding.embedder import Embedder, get_embedder
from gateway.types import Payer
from knowledge.chunking import index_text
from knowledge.labels import all_demands
from knowledge.models import EmbeddingVersion
from knowledge.versions import find_active_version

BATCH = 64
MAX_INDEXED_DIMENSIONS = 4_000  # pgvector's limit for an HNSW index on halfvec

MISSING = """
select c.id, d.title, c.heading_path, c.text from knowledge_chunk c
join knowledge_document d on d.id = c.document_id
where (%s or c.script <> 'cjk')
  and not exists (select from knowledge_embedding e where e.chunk_id = c.id and e.version_id = %s)
order by c.id limit %s
"""
INSERT = """
insert into knowledge_embedding (chunk_id, version_id, collection_id, script, vector)
select c.id, %s, c.collection_id, c.script, fresh.vector::halfvec
from unnest(%s::uuid[], %s::text[]) as fresh (id, vector)
join knowledge_chunk c on c.id = fresh.id for key share of c
on conflict (chunk_id, version_id) do nothing
"""
INDEX = """
create index if not exists embedding_hnsw_{version} on knowledge_embedding
using hnsw ((vector::halfvec({dimensions})) halfvec_ip_ops) with (m = 16, ef_construction = 128)
where version_id = {version} {latin_only}
"""


def find_new_embedder() -> Embedder | None:
    """The gateway's default embedder, where it is not the one that is searched.

    Raises LabelUnmet when it may not see every collection; the one that is searched stays.
    """
    embedder = get_embedder(demands=all_demands())
    return embedder if embedder.name != find_active_version().model else None


def switch_embedder(model: str, report: Callable[[int, int], None]) -> EmbeddingVersion:
    """Give every passage a vector of `model`, then search by these.

    Run again after a crash, it goes on where it stopped. Passages written meanwhile are filled
    after the flip; a document being loaded with the old version is refused and loaded again.
    Raises LabelUnmet before anything is sent when some collection's labels forbid it.
    """
    payer = Payer(purpose="embedding", budget=BUDGETS)
    embedder = get_embedder(model, all_demands(), payer=payer, remember=False)
    version = _prepare_version(embedder)
    _fill(version, embedder, report)
    with transaction.atomic():
        EmbeddingVersion.objects.filter(is_active=True).update(is_active=False)
        EmbeddingVersion.objects.filter(pk=version.pk).update(is_active=True)
    _fill(version, embedder, report)
    version.refresh_from_db()
    return version


def _prepare_version(embedder: Embedder) -> EmbeddingVersion:
    """The version's row and its index, made while it is empty: later it would lock for long."""
    version, _ = EmbeddingVersion.objects.get_or_create(
        model=embedder.name,
        dimensions=embedder.dimensions,
        defaults={"is_multilingual": embedder.is_multilingual},
    )
    if version.dimensions <= MAX_INDEXED_DIMENSIONS:
        statement = INDEX.format(
            version=version.pk,
            dimensions=version.dimensions,
            latin_only="" if version.is_multilingual else "and script <> 'cjk'",
        )
        with connection.cursor() as cursor:
            cursor.execute(statement)
    return version


def _fill(
    version: EmbeddingVersion, embedder: Embedder, report: Callable[[int, int], None]
) -> None:
    done = 0
    while rows := _missing(version):
        texts = [index_text(title, path, text) for _, title, path, text in rows]
        vectors = embedder.embed(texts)
        written = ["[" + ",".join(f"{value:.5g}" for value in vector) + "]" for vector in vectors]
        with connection.cursor() as cursor:
            cursor.execute(INSERT, [version.pk, [row[0] for row in rows], written])
        done += len(rows)
        report(done, done + (BATCH if len(rows) == BATCH else 0))


def _missing(version: EmbeddingVersion) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(MISSING, [version.is_multilingual, version.pk, BATCH])
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
    return rows
