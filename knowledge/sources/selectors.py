"""Reads about sources, for those who look after their collection."""

from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404

from accounts.access import OneOf
from accounts.models import User
from knowledge.models import Source, SourceItem, SyncRun
from security.reading import second_lock

VISITS = SyncRun.objects.filter(source=OuterRef("pk"), is_preview=False)


def list_sources(user: User, collection_id: UUID) -> QuerySet[Source]:
    """With the figures of their items and the last visit of each."""
    items: Any = SourceItem.objects.filter(source=OuterRef("pk")).order_by().values("source")

    def count(**states: Any) -> Coalesce:
        """By the index of states: of a million items only those are looked at that are counted."""
        counted = items.filter(**states).annotate(n=Count("pk")).values("n")
        return Coalesce(Subquery(counted), 0)

    runs: Any = SyncRun.objects.filter(source=OuterRef("pk")).order_by("-id").values("pk")[:1]
    here = Source.objects.filter(collection=collection_id)
    last = OneOf("pk", here.annotate(last=Subquery(runs)).values("last"))
    found: QuerySet[Source] = Source.objects.editable_by(user).filter(collection=collection_id)
    return found.annotate(
        item_count=count(state__in=("present", "failed")),
        failed_count=count(state="failed"),
        missing_count=count(state="missing"),
        was_visited=Exists(VISITS),
    ).prefetch_related(
        Prefetch("runs", SyncRun.objects.filter(last), to_attr="last_runs")
    ).order_by("name", "id")  # fmt: skip


@second_lock
def list_cards(user: User, collection_id: UUID) -> list[Source]:
    return list(list_sources(user, collection_id))


@second_lock
def find_source(user: User, source_id: UUID) -> Any:
    """As `list_sources` has it; raises Http404, also for readers of the collection."""
    editable = Source.objects.editable_by(user).filter(pk=source_id)
    collection_id = editable.values_list("collection", flat=True).first()
    found = None
    if collection_id is not None:
        found = list_sources(user, collection_id).filter(pk=source_id).first()
    if found is None:
        raise Http404
    return found


def list_runs(user: User, source_id: UUID) -> QuerySet[SyncRun]:
    runs = SyncRun.objects.filter(source__in=Source.objects.editable_by(user))
    return runs.filter(source=source_id)


def list_items(user: User, source_id: UUID, state: str = "") -> QuerySet[SourceItem]:
    items = SourceItem.objects.filter(source__in=Source.objects.editable_by(user))
    items = items.filter(source=source_id).annotate(owner_of_document=F("document__source_id"))
    return items.filter(state=state) if state else items
