"""Reads about collections, shaped for the knowledge pages."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from accounts.models import Grant, User
from events.models import Job
from knowledge.models import Collection, Document, Stage
from knowledge.selectors import list_collections

ACTIVE = (Document.Status.QUEUED, Document.Status.RUNNING)
WINDOW = 1000  # documents looked at to tell when the present run of indexing began
EARLY = timedelta(seconds=3)  # before that, a guess at the time left would jump about


@dataclass(frozen=True, slots=True)
class Progress:
    """The present run of indexing in a collection; all zero when nothing runs."""

    ready: int = 0
    working: int = 0
    failed: int = 0
    waiting: int = 0
    time_left: timedelta | None = None

    @property
    def total(self) -> int:
        return self.ready + self.working + self.failed + self.waiting

    @property
    def finished(self) -> int:
        return self.ready + self.failed

    @property
    def is_active(self) -> bool:
        return self.working + self.waiting > 0

    @property
    def segments(self) -> list[tuple[str, float, float]]:
        """Name, left edge and width of the parts of the progress bar, in per cent."""
        counts = [
            ("ready", self.ready), ("working", self.working),
            ("failed", self.failed), ("waiting", self.waiting),
        ]  # fmt: skip
        segments, left = [], 0.0
        for name, count in counts:
            width = 100 * count / self.total if count else 0
            if width:
                segments.append((name, round(left, 2), round(width, 2)))
            left += width
        return segments

    @property
    def minutes_left(self) -> int | None:
        """Whole minutes, at least 1; 0 for less than 45 seconds; None when it cannot be told."""
        if self.time_left is None:
            return None
        seconds = self.time_left.total_seconds()
        return 0 if seconds < 45 else max(1, round(seconds / 60))


def list_cards(user: User) -> QuerySet[Collection]:
    """What the knowledge home shows: `list_collections` with size, freshness, state and sharing."""
    counted: Any = Document.objects.shown_to(user).filter(collection=OuterRef("pk")).order_by()
    counted = counted.values("collection")

    def figure(expression: Any) -> Subquery:
        return Subquery(counted.annotate(figure=expression).values("figure"))

    shared: Any = Grant.objects.filter(kind=Grant.Kind.COLLECTION, object_id=OuterRef("pk"))
    shared = shared.order_by().values("object_id")
    cards = list_collections(user).select_related("owner")
    return cards.annotate(
        total_size=Coalesce(figure(Sum("size")), 0),
        passage_count=Coalesce(figure(Sum("chunk_count")), 0),
        changed_at=Coalesce(figure(Max("updated_at")), "updated_at"),
        active_count=Coalesce(figure(Count("pk", filter=Q(status__in=ACTIVE))), 0),
        failed_count=Coalesce(figure(Count("pk", filter=Q(status=Document.Status.FAILED))), 0),
        grant_count=Coalesce(Subquery(shared.annotate(n=Count("pk")).values("n")), 0),
    ).order_by("name", "pk")


def find_progress(
    collection: Collection, documents: "QuerySet[Document] | None" = None
) -> Progress:
    """How the present run of indexing goes, and how long it may still take; of these of the
    collection's `documents` alone, if they are given."""
    if documents is None:
        documents = Document.objects.filter(collection=collection)
    if not documents.filter(status__in=ACTIVE).exists():
        return Progress()
    rows = list(
        documents.filter(job_id__isnull=False)
        .order_by("-updated_at")
        .values_list("job_id", "status")[:WINDOW]
    )
    jobs = {
        pk: (created, finished)
        for pk, created, finished in Job.objects.filter(pk__in=[pk for pk, _ in rows]).values_list(
            "pk", "created_at", "finished_at"
        )
    }
    began = run_began([jobs[pk] for pk, _ in rows if pk in jobs], timezone.now())
    in_run = [
        status
        for pk, status in rows
        if status in ACTIVE or (pk in jobs and _finished_since(jobs[pk][1], began))
    ]
    counts = {status: in_run.count(status) for status in Document.Status.values}
    partly = _partly_done(collection)
    finished = counts[Document.Status.READY] + counts[Document.Status.FAILED]
    return Progress(
        ready=counts[Document.Status.READY],
        working=counts[Document.Status.RUNNING],
        failed=counts[Document.Status.FAILED],
        waiting=counts[Document.Status.QUEUED],
        time_left=estimate(timezone.now() - began, finished + partly, len(in_run)),
    )


def run_began(jobs: Iterable[tuple[datetime, datetime | None]], now: datetime) -> datetime:
    """Since when, without a pause, one of the jobs (created, finished) was waiting or running."""
    began = now
    for created, finished in sorted(jobs, key=lambda job: job[1] or now, reverse=True):
        if (finished or now) < began:
            break
        began = min(began, created)
    return began


def estimate(elapsed: timedelta, done: float, total: int) -> timedelta | None:
    """What is left at the pace so far; None while that says nothing."""
    if elapsed < EARLY or done <= 0:
        return None
    return elapsed * max(0.0, (total - done) / done)


def _finished_since(finished: datetime | None, began: datetime) -> bool:
    return finished is not None and finished >= began


def _partly_done(collection: Collection) -> float:
    """Documents' worth of finished work in those that are being indexed; embedding is the bulk."""
    running = Stage.objects.filter(
        document__collection=collection,
        document__status=Document.Status.RUNNING,
        name=Stage.Name.EMBED,
        total__gt=0,
    )
    return sum(done / total for done, total in running.values_list("done", "total"))
