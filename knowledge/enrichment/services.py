"""Switching enrichment on and off, and how far it is."""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import User
from gateway.catalogue import list_chat_models
from gateway.labels import LabelUnmet, require_labels
from knowledge import control
from knowledge.control import Order
from knowledge.enrichment.asking import EnrichmentFailed
from knowledge.enrichment.step import routes_of, version_of
from knowledge.labels import demands_of
from knowledge.models import Collection, Document, Stage
from security import audit
from security.acts import Act


class EnrichmentRefused(Exception):
    """Not with this model; the text says why, translated."""


@dataclass(frozen=True, slots=True)
class State:
    """How much of a collection is enriched as it is wanted now, and what went wrong last."""

    model: str
    by: User | None
    documents: int
    enriched: int
    working: int
    failed: int
    reason: str = ""


def list_models() -> list[str]:
    """Chat models that somebody serves, the default one first."""
    return list(list_chat_models().values_list("name", flat=True))


def switch_on(user: User, collection: Collection, model: str) -> None:
    """From now on on `user`'s account; what is there is enriched in the background, and what comes
    with its indexing. Raises `EnrichmentRefused`."""
    if model not in list_models():
        raise EnrichmentRefused(_("Nobody offers this model."))
    try:
        require_labels(routes_of(model), demands_of([collection.pk]))
    except (LabelUnmet, EnrichmentFailed) as error:
        raise EnrichmentRefused(str(error)) from error
    _set(user, collection, model, user)


def switch_off(user: User, collection: Collection) -> None:
    """What was written leaves the index, and is kept: the same model has not to write it again."""
    _set(user, collection, "", None)


def find_state(collection: Collection) -> State:
    rows = Document.objects.filter(collection=collection, excluded_at=None, chunk_count__gt=0)
    stages = Stage.objects.filter(document__in=rows, name=Stage.Name.ENRICH)
    done = stages.filter(status=Stage.Status.DONE, step_version=version_of(collection))
    failed = stages.filter(status=Stage.Status.FAILED)
    reason = failed.order_by("-finished_at").values_list("reason", flat=True).first()
    working = rows.filter(status__in=(Document.Status.QUEUED, Document.Status.RUNNING))
    return State(
        collection.enrich_model, collection.enrich_by, rows.count(), done.count(), working.count(),
        failed.count(), reason or "",
    )  # fmt: skip


def _set(user: User, collection: Collection, model: str, by: User | None) -> None:
    with transaction.atomic():
        locked = Collection.objects.select_for_update().get(pk=collection.pk)
        is_other = locked.enrich_model != model
        Collection.objects.filter(pk=collection.pk).update(enrich_model=model, enrich_by=by)
        collection.enrich_model, collection.enrich_by = model, by
        if is_other:
            audit.record(Act.ENRICHMENT_CHANGED, collection, by=user, model=model)
    control.give(collection, Order.REFRESH)
