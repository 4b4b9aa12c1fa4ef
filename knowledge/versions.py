"""Which generation of vectors is searched, and the embedder that made it."""

from django.db import transaction

from gateway.embedding.embedder import LOCAL_NAME
from knowledge.models import EmbeddingVersion

# The migration makes this one, with its index.
EMBEDDED_VERSION = 1


def find_active_version() -> EmbeddingVersion:
    """The version that search reads; an emptied database gets the embedded model's again."""
    # Every question asks this: the probe, a vector, is left where it is.
    versions = EmbeddingVersion.objects.defer("probe")
    found = versions.filter(state=EmbeddingVersion.State.ACTIVE).first()
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
