"""What a collection takes of the disk: its files, what was read in them, their vectors, and copies.

Files are counted, rows are weighed by some of them: the sum of a million would take minutes. The
indexes, which all collections share, are in none of these figures.
"""

from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.models import User
from knowledge.counts import count_documents
from knowledge.embeddings.overview import vector_bytes
from knowledge.models import Collection, EmbeddingVersion, Source
from knowledge.sources.places import repository_of

SAMPLE = 500  # rows whose weight stands for that of all
VERSIONS = """
select coalesce(sum(size), 0) from (
    select distinct on (v.file_id) v.size
    from knowledge_documentversion v join knowledge_document d on d.id = v.document_id
    where d.collection_id = %s and v.file_id <> coalesce(d.file_id, d.id)
) as kept
"""
TEXT = """
select coalesce(avg(weight), 0) from (
    select pg_column_size(t.text) + coalesce(pg_column_size(t.kept), 0)
        + coalesce(pg_column_size(t.layout), 0) as weight
    from knowledge_documenttext t join knowledge_document d on d.id = t.document_id
    where d.collection_id = %s limit %s
) as weighed
"""
PASSAGE = """
select coalesce(avg(pg_column_size(c.*)), 0) from (
    select * from knowledge_chunk where collection_id = any(%s) limit %s
) as c
"""
VECTORS = """
select version_id, count(*) from knowledge_embedding where collection_id = any(%s)
group by version_id
"""


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes: of files, of versions that are not searched, of texts with their passages, of vectors
    in all embedding versions, of copies of repositories."""

    files: int
    versions: int
    texts: int
    vectors: int
    repositories: int

    @property
    def total(self) -> int:
        return sum(astuple(self))


def weigh(collection: Collection, user: User) -> Footprint:
    """`user` may edit the collection, so they may see all that is in it."""
    counts = count_documents([collection.pk], user)[collection.pk]
    parts = Collection.parts_apart.filter(part_of=collection.pk).values_list("pk", flat=True)
    spaces = [collection.pk, *parts]
    texts = counts.documents * _number(TEXT, collection.pk, SAMPLE)
    passages = counts.passages * _number(PASSAGE, spaces, SAMPLE)
    return Footprint(
        files=counts.bytes,
        versions=round(_number(VERSIONS, collection.pk)),
        texts=round(texts + passages),
        vectors=_vectors(spaces),
        repositories=sum(_on_disk(repository_of(str(pk))) for pk in _repositories(collection)),
    )


def _vectors(spaces: list[UUID]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(VECTORS, [spaces])
        counted = dict(cursor.fetchall())
    versions = EmbeddingVersion.objects.filter(pk__in=list(counted))
    return sum(vector_bytes(version, counted[version.pk]) for version in versions)


def _repositories(collection: Collection) -> list[UUID]:
    return list(collection.sources.filter(kind=Source.Kind.GIT).values_list("pk", flat=True))


def _on_disk(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())


def _number(statement: str, *values: Any) -> float:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))
        (found,) = cursor.fetchone() or (0,)
    return float(found)
