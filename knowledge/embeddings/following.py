"""A small installation follows the gateway's default embedding model by itself.

Where much would have to be embedded, which takes hours and may cost money, a person is shown both
and decides on the page of the search index; so it is where a person has decided already.
"""

import logging

from events import jobs
from events.context import JobContext
from events.models import Job
from gateway.embedding.embedder import Embedder, get_embedder
from gateway.labels import LabelUnmet
from knowledge.embeddings.jobs import fill_version, told
from knowledge.embeddings.versions import is_small
from knowledge.labels import all_demands
from knowledge.models import EmbeddingVersion
from knowledge.versions import find_active_version

logger = logging.getLogger(__name__)

SWITCH = "knowledge.jobs.switch_embedder"
MOST_FOLLOWED = 4_000  # passages: a minute or two of the embedded model, a cent of a paid one


def find_new_embedder() -> Embedder | None:
    """The gateway's default embedder, where it is not the one that is searched.

    Raises LabelUnmet when it may not see every collection; the one that is searched stays.
    """
    embedder = get_embedder(demands=all_demands())
    return embedder if embedder.name != find_active_version().model else None


def follow_default() -> int:
    """Start the switch when the gateway's default embedding model has changed; 1 if it did."""
    try:
        embedder = find_new_embedder()
    except LabelUnmet as error:
        logger.warning("the default embedding model is not switched to: %s", error)
        return 0
    if embedder is None or find_active_version().chosen_over == embedder.name:
        return 0
    is_under_way = Job.objects.filter(task=SWITCH, finished_at=None).exists()
    if is_under_way or not is_small(MOST_FOLLOWED):
        return 0
    jobs.enqueue(SWITCH, {"model": embedder.name})
    return 1


def switch_embedder(context: JobContext, model: str) -> None:
    """Fill vectors of another embedding model, then search by them."""
    with told(context):
        embedder = get_embedder(model, all_demands())
        dimensions = embedder.dimensions
    version, _is_new = EmbeddingVersion.objects.get_or_create(
        model=embedder.name,
        dimensions=dimensions,
        storage=EmbeddingVersion.Storage.HALF,
        defaults={"is_multilingual": embedder.is_multilingual},
    )
    fill_version(context, version.pk, is_chosen=True)
