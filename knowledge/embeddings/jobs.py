"""The long work on embedding versions, enqueued by dotted path; each may be killed and run anew."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.utils.translation import gettext_noop as _

from events.context import HandedBack, JobContext, JobFailed
from gateway.embedding.embedder import EmbedderUnavailable
from gateway.errors import BudgetExhausted, GatewayError
from gateway.labels import LabelUnmet
from knowledge.embeddings import filling, indexes, measuring, versions
from knowledge.embeddings.filling import AnotherModel
from knowledge.models import EmbeddingVersion
from knowledge.quality.errors import ChangeHeld

logger = logging.getLogger(__name__)

# Then the worker turns to what else waits, and somebody goes on with this: a fill takes hours, and
# people's documents should not.
MOST_SECONDS = 600.0
DELETED_AT_ONCE = 5_000
UNAVAILABLE = _("No enabled endpoint offers the embedding model.")
NO_ANSWER = _("The embedding model did not answer. Try again, or ask the administrator.")
NOTHING_HERE = _("There are no passages to measure with.")
DELETE = """
delete from knowledge_embedding where ctid = any (array(
    select ctid from knowledge_embedding where version_id = %s limit %s))
"""


def fill_version(context: JobContext, version_id: int, *, is_chosen: bool = False) -> None:
    """Give every passage a vector of the version, then its index; ready, or searched if it
    `is_chosen` already."""
    version = EmbeddingVersion.objects.filter(pk=version_id).first()
    if version is None or version.state == EmbeddingVersion.State.DROPPING:
        return
    began = time.monotonic()

    def report(done: int, total: int) -> None:
        context.progress("embed", done, total)
        if done < total and time.monotonic() - began > MOST_SECONDS:
            raise HandedBack

    with told(context):
        filling.fill(version, filling.embedder_of(version), report)
    indexes.build(version, lambda done, total: context.progress("index", done, total))
    waiting = EmbeddingVersion.objects.filter(pk=version.pk, state=EmbeddingVersion.State.FILLING)
    waiting.update(state=EmbeddingVersion.State.READY)
    version.refresh_from_db()
    if is_chosen and version.state != EmbeddingVersion.State.ACTIVE:
        try:
            versions.activate(version.pk)
        except ChangeHeld as held:
            logger.warning("the embedding version %s is not searched: %s", version, held)
            versions.stay(version)


def drop_version(context: JobContext, version_id: int) -> None:
    """Remove the index, the vectors a few thousand at a time, and at last the version."""
    version = EmbeddingVersion.objects.filter(
        pk=version_id, state=EmbeddingVersion.State.DROPPING
    ).first()
    if version is None:
        return
    indexes.drop(version)
    total, _passages = filling.count_vectors(version)
    done = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(DELETE, [version.pk, DELETED_AT_ONCE])
            gone = cursor.rowcount
        if not gone:
            break
        done += gone
        context.progress("drop", min(done, total), total)
    version.delete()


def measure_storages(context: JobContext, model: str) -> None:
    """What each storage of this model's vectors would find and cost; see `measuring`."""
    with told(context):
        embedder = filling.embedder_of(EmbeddingVersion(model=model))
        try:
            measuring.measure(embedder, lambda done, total: context.progress("embed", done, total))
        except ValueError as error:
            raise JobFailed(NOTHING_HERE) from error


@contextmanager
def told(context: JobContext) -> Iterator[None]:
    """Why it cannot be filled, in words; what may pass is tried again first."""
    try:
        yield
    except (LabelUnmet, AnotherModel, BudgetExhausted) as error:
        raise JobFailed(str(error)) from error
    except (EmbedderUnavailable, GatewayError) as error:
        if context.attempt < context.job.max_attempts:
            raise
        logger.warning("embedding version: %s: %s", type(error).__name__, error)
        is_gone = isinstance(error, EmbedderUnavailable)
        raise JobFailed(UNAVAILABLE if is_gone else NO_ANSWER) from error
