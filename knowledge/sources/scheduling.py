"""When a source is visited again by itself: the clock asks what is due."""

import random
from datetime import datetime, timedelta
from uuid import UUID

from django.db import models, transaction
from django.db.models.functions import Now
from django.utils import timezone

from knowledge.models import Source

PERIODS = {
    Source.Schedule.HOURLY: timedelta(hours=1),
    Source.Schedule.DAILY: timedelta(days=1),
    Source.Schedule.WEEKLY: timedelta(days=7),
}
JITTER = 0.1  # of the period, at most half an hour: sources made together are not due together
MOST_JITTER = timedelta(minutes=30)
BATCH = 50


def next_time(schedule: str, after: datetime | None = None) -> datetime | None:
    """When a source with this schedule is due next; None for one that waits to be asked."""
    period = PERIODS.get(Source.Schedule(schedule))
    if period is None:
        return None
    jitter = min(period * JITTER, MOST_JITTER) * random.random()  # noqa: S311
    return (after or timezone.now()) + period + jitter


def start_due() -> int:
    """Start what is due, each once however many clocks there are; how many."""
    return sum(_start(pk) for pk in list(_due().values_list("pk", flat=True)[:BATCH]))


def _due() -> "models.QuerySet[Source]":
    due: models.QuerySet[Source] = Source.objects.filter(
        next_run_at__lte=Now(), is_paused=False, is_leaving=False
    ).order_by("next_run_at")
    return due


@transaction.atomic
def _start(pk: UUID) -> bool:
    from knowledge.sources.services import start_sync  # noqa: PLC0415 - it asks for `next_time`

    source = _due().select_for_update(skip_locked=True, of=("self",)).filter(pk=pk).first()
    if source is None:
        return False
    source.next_run_at = next_time(source.schedule)
    source.save(update_fields=["next_run_at"])
    if source.runs.filter(status__in=["queued", "running", "paused"]).exists():
        return False  # the one before still runs; its turn comes again
    start_sync(source, None, is_scheduled=True)
    return True
