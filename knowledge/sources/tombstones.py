"""Items that are gone at their source: their documents stay for the days of grace, then they go."""

import logging
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F, QuerySet, Value
from django.db.models.functions import Now

from knowledge.models import Source, SourceItem
from knowledge.sources.handing import release

log = logging.getLogger(__name__)
State = SourceItem.State


def unseen(source: Source, run_id: UUID) -> "QuerySet[SourceItem, int]":
    """Ids of the items that a run which has seen everything has not seen, and that are not gone.

    What a person deleted here stays known: it is kept away also when it comes back, and in the
    history of a repository.
    """
    items = source.items.exclude(state__in=(State.MISSING, State.LEFT_OUT)).exclude(seen_in=run_id)
    return items.order_by("id").values_list("pk", flat=True)


def mark(ids: Iterable[int]) -> int:
    """They are gone from now on; how many. What has no document is forgotten at once."""
    over = (State.MISSING, State.LEFT_OUT)
    rows = SourceItem.objects.filter(pk__in=list(ids)).exclude(state__in=over)
    empty, _ = rows.filter(document=None).delete()
    return empty + rows.update(state=State.MISSING, missing_since=Now())


def unmark(ids: Iterable[int]) -> None:
    """They are back."""
    rows = SourceItem.objects.filter(pk__in=list(ids), state=State.MISSING)
    rows.update(state=State.PRESENT, missing_since=None)


def purge(source: Source | None = None, batch: int = 200) -> int:
    """Let go of the documents of what is gone for longer than its source's grace; how many items.

    Of one source, or of all: the clock calls. Removed documents can be taken back like others.
    """
    grace = ExpressionWrapper(
        F("source__grace_days") * Value(timedelta(days=1)), output_field=DurationField()
    )
    due = SourceItem.objects.filter(state=State.MISSING, missing_since__lte=Now() - grace)
    if source is not None:
        due = due.filter(source=source)
    count = 0
    while ids := list(due.order_by("id").values_list("pk", flat=True)[:batch]):
        count += sum(_let_go(pk) for pk in ids)
    if count:
        log.info("%s items that were gone at their sources were let go", count)
    return count


@transaction.atomic
def _let_go(pk: int) -> bool:
    locked = SourceItem.objects.select_for_update(of=("self",))
    item = locked.select_related("document").filter(pk=pk, state=State.MISSING).first()
    if item is None:  # back meanwhile, or gone already
        return False
    if item.document is not None and item.document.discarded_at is None:
        release(item, item.document)
    item.delete()
    return True
