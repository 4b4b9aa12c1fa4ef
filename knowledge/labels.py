"""What collections demand of whoever is shown their content."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from gateway.embedding.embedder import LOCAL_NAME
from gateway.labels import Demand
from knowledge.models import Collection

if TYPE_CHECKING:
    from django.db.models import QuerySet


def demands_of(collections: Iterable[UUID]) -> tuple[Demand, ...]:
    """The labels that these collections demand; one query."""
    return _demands(Collection.parts_apart.filter(pk__in=set(collections)))  # whole ones too


def all_demands() -> tuple[Demand, ...]:
    """Of whoever is shown everything."""
    return _demands(Collection.objects.all())


def _demands(rows: "QuerySet[Collection]") -> tuple[Demand, ...]:
    found = rows.exclude(required_labels=[]).order_by("name", "id")
    return tuple(
        Demand(label, "collection", name)
        for name, labels in found.values_list("name", "required_labels")
        for label in labels
    )


def embedding_demands(
    model: str, collections: Iterable[UUID] | None, more: Sequence[Demand] = ()
) -> tuple[Demand, ...]:
    """What the embedder of a text must have. Nothing leaves for the embedded model: no query."""
    if model == LOCAL_NAME:
        return ()
    return (*more, *(demands_of(collections) if collections is not None else ()))
