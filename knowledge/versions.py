"""Which generation of vectors is searched, and the embedder that made it."""

from functools import cache

from django.db import transaction

from gateway.embedding.embedder import LOCAL_NAME
from knowledge.models import EmbeddingVersion

# The migration makes this one, with its index.
EMBEDDED_VERSION = 1


@cache
def _active_version() -> str:
    columns = [field.column for field in EmbeddingVersion._meta.concrete_fields]
    names = ", ".join(f'"{column}"' for column in columns if column != "probe")
    return f"select {names} from knowledge_embeddingversion where state = 'active'"  # noqa: S608


def find_active_version() -> EmbeddingVersion:
    """The version that search reads; an emptied database gets the embedded model's again."""
    # Every question asks this: the statement is written once, and the probe, a vector, left where
    # it is.
    found = next(iter(EmbeddingVersion.objects.raw(_active_version())), None)
    if found is not None:
        return found
    with transaction.atomic():
        made, _ = EmbeddingVersion.objects.get_or_create(
            pk=EMBEDDED_VERSION,
            defaults={
                "model": LOCAL_NAME,
                "dimensions": 384,
                "state": EmbeddingVersion.State.ACTIVE,
            },
        )
    return made
