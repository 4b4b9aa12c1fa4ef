"""A first bulk load goes without the graph, which is built in one go when it is over.

Row by row the graph costs more than everything else of loading a passage; built at once, with the
memory it needs, a fraction. As long as it is away every vector is read, which is exact; so it
comes back before that is slow. Everything later keeps it up as it is written.
"""

from typing import Any

from django.db.models import QuerySet

from events.models import Job
from knowledge.embeddings import indexes, versions
from knowledge.models import Embedding
from knowledge.versions import find_active_version

INGEST = "knowledge.jobs.ingest_document"
FEW_VECTORS = 4_000  # up to these search reads them all anyway: nobody misses the graph
MANY_WAITING = 500  # documents
MOST_WITHOUT = 100_000  # vectors: beyond, reading them all would take longer than people wait


def keep_index() -> int:
    """Run by the clock: put the graph away before a bulk load, have it built after; 1 if either."""
    version = find_active_version()
    vectors = Embedding.objects.filter(version=version)
    if indexes.is_built(version):
        if _waiting(MANY_WAITING) and not _has_more(vectors, FEW_VECTORS):
            indexes.drop(version)
            return 1
        return 0
    is_over = not _waiting(1)
    if _has_more(vectors, FEW_VECTORS if is_over else MOST_WITHOUT):
        return int(versions.go_on(version) is not None)
    return 0


def _waiting(number: int) -> bool:
    """Whether so many documents wait to be indexed."""
    found = Job.objects.filter(task=INGEST, finished_at=None)
    return _has_more(found, number - 1)


def _has_more(rows: "QuerySet[Any]", number: int) -> bool:
    """Without counting all of them."""
    return rows.values("pk")[number : number + 1].exists()
