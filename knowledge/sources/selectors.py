"""Reads about sources, for those who look after their collection."""

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404
from django.utils import timezone

from accounts.access import OneOf
from accounts.models import User
from knowledge.models import Source, SourceItem, SyncRun
from knowledge.sources.standing import LATE
from security.reading import second_lock

VISITS = SyncRun.objects.filter(source=OuterRef("pk"), is_preview=False)
ENDED: Any = VISITS.filter(status__in=SyncRun.ENDED).order_by("-id")
SHOWN_TROUBLES = 5
SHOWN_ORIGINS = 5


def list_sources(user: User, collection_id: UUID) -> QuerySet[Source]:
    """With the figures of their items, the last run of each and the last visit that ended."""
    items: Any = SourceItem.objects.filter(source=OuterRef("pk")).order_by().values("source")

    def count(**states: Any) -> Coalesce:
        """By the index of states: of a million items only those are looked at that are counted."""
        counted = items.filter(**states).annotate(n=Count("pk")).values("n")
        return Coalesce(Subquery(counted), 0)

    runs: Any = SyncRun.objects.filter(source=OuterRef("pk")).order_by("-id").values("pk")[:1]
    here = Source.objects.filter(collection=collection_id)
    last = OneOf("pk", here.annotate(last=Subquery(runs)).values("last"))
    ended = OneOf("pk", here.annotate(last=Subquery(ENDED.values("pk")[:1])).values("last"))
    found: QuerySet[Source] = Source.objects.editable_by(user).filter(collection=collection_id)
    return found.annotate(
        item_count=count(state__in=("present", "failed")),
        failed_count=count(state="failed"),
        missing_count=count(state="missing"),
        was_visited=Exists(VISITS),
    ).prefetch_related(
        Prefetch("runs", SyncRun.objects.filter(last), to_attr="last_runs"),
        Prefetch("runs", SyncRun.objects.filter(ended), to_attr="last_visits"),
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


@second_lock
def list_troubled(user: User, collection_id: UUID) -> list[Any]:
    """Sources that are not in step with where they come from, each with the `reason` why its last
    visit failed: the first few, for those who look after the collection."""
    here = Source.objects.editable_by(user).filter(collection=collection_id)
    found = _troubled(here).annotate(reason=Subquery(ENDED.values("reason")[:1]))
    return list(found.order_by("name", "id")[:SHOWN_TROUBLES])


def count_troubled(user: User, collection_ids: Sequence[UUID]) -> Counter[UUID]:
    """Of each collection that `user` looks after: its sources that are not in step."""
    here = Source.objects.editable_by(user).filter(collection__in=collection_ids)
    return Counter(_troubled(here).values_list("collection_id", flat=True))


def _troubled(sources: QuerySet[Source]) -> QuerySet[Any]:
    """Whose last visit failed, or whose time has long been over; not what somebody paused."""
    is_late = Q(next_run_at__lt=timezone.now() - LATE)
    last = sources.filter(is_paused=False).annotate(ended=Subquery(ENDED.values("status")[:1]))
    return last.filter(Q(ended=SyncRun.Status.FAILED) | is_late)


@second_lock
def list_origins(user: User, document_id: UUID) -> list[SourceItem]:
    """As what it is known to which sources: for those who look after them, and nobody else."""
    items = SourceItem.objects.filter(source__in=Source.objects.editable_by(user))
    found = items.filter(document=document_id).select_related("source").order_by("id")
    return list(found[:SHOWN_ORIGINS])
