"""How a source stands, in a word: whether its documents are what is there."""

from datetime import timedelta
from enum import StrEnum

from django.utils import timezone

from knowledge.models import Source, SyncRun
from knowledge.sources import kinds

LATE = timedelta(hours=1)  # after its time a source should long have been visited


class Standing(StrEnum):
    PAUSED = "paused"
    PUSHED = "pushed"  # items come by themselves
    SYNCING = "syncing"
    NEW = "new"  # never visited
    FAILED = "failed"
    LATE = "late"  # its time is over, and nobody visited it
    CANCELLED = "cancelled"
    IN_STEP = "in_step"


def standing_of(source: Source, last: SyncRun | None, visit: SyncRun | None) -> Standing:
    """`last` is its newest run, `visit` the newest that has ended and was no preview."""
    if source.is_paused:
        return Standing.PAUSED
    if not kinds.has_walk(source):
        return Standing.PUSHED
    if last is not None and last.is_open:
        return Standing.SYNCING
    return Standing.NEW if visit is None else _after(visit, source)


def _after(visit: SyncRun, source: Source) -> Standing:
    if visit.status == SyncRun.Status.FAILED:
        return Standing.FAILED
    if source.next_run_at is not None and source.next_run_at < timezone.now() - LATE:
        return Standing.LATE
    is_cancelled = visit.status == SyncRun.Status.CANCELLED
    return Standing.CANCELLED if is_cancelled else Standing.IN_STEP
