"""Giving every passage its vector in a version, while search goes on with another.

What a version of the same model has is taken over; the rest is embedded. Done twice it does
nothing, killed it goes on where it was: what lacks a vector is found by looking.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connection
from django.utils.translation import gettext as _

from accounts.budgets.keeper import BUDGETS
from gateway.embedding.embedder import LOCAL_NAME, Embedder, get_embedder
from gateway.embedding.remote import AT_ONCE, REQUEST_TEXTS
from gateway.types import Payer
from knowledge.chunking import index_text
from knowledge.embeddings.storages import FLOAT, column_of, to_text
from knowledge.labels import all_demands
from knowledge.models import EmbeddingVersion

# The embedded model computes one by one anyway; an endpoint gets as many requests as go at once.
LOCAL_BATCH, REMOTE_BATCH = 64, REQUEST_TEXTS * AT_ONCE
COPIED_AT_ONCE = 5_000
PASSES = 5  # over the passages: those that were locked or written meanwhile come with the next
RATE_EVERY = 5.0  # seconds
# Told by its vector: the same model gives the same one, up to the rounding of its hardware.
PROBE = "A collection of documents that answers questions with their own words."
SAME_MODEL = 0.99  # cosine; int8 and float32 of one model differ by 0.005

MISSING = """
select c.id, d.title, c.heading_path, c.text, c.head, c.context from knowledge_chunk c
join knowledge_document d on d.id = c.document_id
where c.id > %s and (%s or c.script <> 'cjk')
  and not exists (select from knowledge_embedding e where e.chunk_id = c.id and e.version_id = %s)
order by c.id limit %s
"""
# A passage that is being deleted, or set apart from its collection, is left alone: waiting for it
# could be a deadlock. Whoever sets it apart after that waits, and finds the vector.
INSERT = """
insert into knowledge_embedding (chunk_id, version_id, collection_id, script, {column})
select c.id, %s, c.collection_id, c.script, fresh.vector::{kind}
from unnest(%s::uuid[], %s::text[]) as fresh (id, vector)
join knowledge_chunk c on c.id = fresh.id for share of c skip locked
on conflict (chunk_id, version_id) do nothing
"""
COPY = """
with part as (
    select chunk_id, script, {source} as vector from knowledge_embedding
    where version_id = %s and chunk_id > %s order by chunk_id limit %s),
put as (
    insert into knowledge_embedding (chunk_id, version_id, collection_id, script, {column})
    select c.id, %s, c.collection_id, part.script, part.vector
    from part join knowledge_chunk c on c.id = part.chunk_id for share of c skip locked
    on conflict (chunk_id, version_id) do nothing)
select chunk_id, (select count(*) from part) from part order by chunk_id desc limit 1
"""
COUNT = """
select (select count(*) from knowledge_embedding where version_id = %s),
       (select count(*) from knowledge_chunk where %s or script <> 'cjk')
"""

Report = Callable[[int, int], None]


class AnotherModel(Exception):
    """The embedder is not the one that made the version's vectors."""


def embedder_of(version: EmbeddingVersion) -> Embedder:
    """The embedder that may see everything, on nobody's account but within the budgets.

    Raises `EmbedderUnavailable`, and `LabelUnmet` where some collection's labels forbid it.
    """
    if version.model == LOCAL_NAME:
        return get_embedder(version.model)
    payer = Payer(purpose="embedding", budget=BUDGETS)
    return get_embedder(version.model, all_demands(), payer=payer, remember=False)


def count_vectors(version: EmbeddingVersion) -> tuple[int, int]:
    """How many passages have their vector, and how many should."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [version.pk, version.is_multilingual])
        done, total = cursor.fetchone() or (0, 0)
    return done, max(done, total)


def fill(version: EmbeddingVersion, embedder: Embedder, report: Report) -> None:
    """Give every passage that lacks one a vector; `report` hears of every batch.

    Raises `AnotherModel` before anything is written when the embedder is not that of the version.
    """
    done, total = count_vectors(version)
    if done < total:
        require_same_model(version, embedder)
        done = _take_over(version, done, total, report)
    for _number in range(PASSES):
        written = _fill_once(version, embedder, done, lambda now: report(now, total))
        if not written:
            break
        done += written
    report(total, total)


def require_same_model(version: EmbeddingVersion, embedder: Embedder) -> None:
    """Vectors of two models in one version would be found at random; raises `AnotherModel`."""
    (vector,) = embedder.embed([PROBE])
    if len(vector) != version.dimensions:
        text = _("The model gives {found} dimensions, this version has {expected}.")
        raise AnotherModel(text.format(found=len(vector), expected=version.dimensions))
    if version.probe is None:
        version.probe = [float(value) for value in vector]
        EmbeddingVersion.objects.filter(pk=version.pk).update(probe=version.probe)
        return
    if not _are_alike(version.probe, vector):
        text = _("Under the name {model} another model answers than the one of this version.")
        raise AnotherModel(text.format(model=version.model))


def _are_alike(one: Any, other: Any) -> bool:
    a, b = np.asarray(one, np.float32), np.asarray(other, np.float32)
    return float(a @ b) >= SAME_MODEL * float(np.linalg.norm(a) * np.linalg.norm(b))


def _take_over(version: EmbeddingVersion, done: int, total: int, report: Report) -> int:
    """Vectors of the same model that lie there in another form; how many there are now."""
    siblings = EmbeddingVersion.objects.filter(
        model=version.model, dimensions=version.dimensions
    ).exclude(pk=version.pk)
    for sibling in siblings.exclude(state=EmbeddingVersion.State.DROPPING):
        is_rounded = version.storage == FLOAT and sibling.storage != FLOAT
        if is_rounded or (sibling.probe and not _are_alike(sibling.probe, version.probe)):
            continue
        statement = COPY.format(
            column=column_of(version.storage), source=_converted(sibling.storage, version.storage)
        )
        after: UUID | None = UUID(int=0)
        while after is not None:
            after = _copy_some(statement, version, sibling, after)
            report(min(done, total), total)
        done, total = count_vectors(version)
    return done


def _copy_some(
    statement: str, version: EmbeddingVersion, sibling: EmbeddingVersion, after: UUID
) -> UUID | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [sibling.pk, after, COPIED_AT_ONCE, version.pk])
        row = cursor.fetchone()
    return row[0] if row and row[1] == COPIED_AT_ONCE else None


def _converted(source: str, target: str) -> str:
    column = column_of(source)
    return f"{column}::halfvec" if column == "precise" != column_of(target) else column


def _fill_once(
    version: EmbeddingVersion, embedder: Embedder, done: int, report: Callable[[int], None]
) -> int:
    """One walk over the passages in the order of their ids; how many were embedded."""
    size = LOCAL_BATCH if version.model == LOCAL_NAME else REMOTE_BATCH
    written, noted = 0, time.monotonic()
    began, counted = noted, 0
    after = UUID(int=0)
    while rows := _missing(version, after, size):
        _write(version, rows, embedder)
        after = rows[-1][0]
        written += len(rows)
        counted += len(rows)
        report(done + written)
        if (now := time.monotonic()) - noted > RATE_EVERY:
            _note_rate(version, counted / (now - began))
            noted = now
    if counted:
        _note_rate(version, counted / (time.monotonic() - began))
    return written


def _write(version: EmbeddingVersion, rows: Sequence[tuple[Any, ...]], embedder: Embedder) -> None:
    vectors = embedder.embed([index_text(*told) for _id, *told in rows])
    kind = "vector" if version.storage == FLOAT else "halfvec"
    statement = INSERT.format(column=column_of(version.storage), kind=kind)
    texts = [to_text(version.storage, vector) for vector in vectors]
    with connection.cursor() as cursor:
        cursor.execute(statement, [version.pk, [row[0] for row in rows], texts])


def _missing(version: EmbeddingVersion, after: UUID, limit: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(MISSING, [after, version.is_multilingual, version.pk, limit])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _note_rate(version: EmbeddingVersion, rate: float) -> None:
    EmbeddingVersion.objects.filter(pk=version.pk).update(rate=rate)
