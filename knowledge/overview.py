"""Reads about collections, shaped for the knowledge pages."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils import timezone

from accounts.models import Grant, User
from events.models import Job
from knowledge.counts import count_documents
from knowledge.models import Collection, Document, Stage
from knowledge.sources.selectors import count_troubled

ACTIVE = (Document.Status.QUEUED, Document.Status.RUNNING)
ENDED = (Document.Status.READY, Document.Status.FAILED)
# The order of `Progress`' fields.
IN_A_RUN = (
    Document.Status.READY, Document.Status.RUNNING, Document.Status.FAILED, Document.Status.QUEUED,
)  # fmt: skip
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


@dataclass(frozen=True, slots=True)
class Card:
    """A collection on the knowledge home, with what its reader may see of it."""

    collection: Collection
    changed_at: datetime
    is_shared: bool
    document_count: int = 0
    passage_count: int = 0
    total_size: int = 0
    active_count: int = 0
    failed_count: int = 0
    troubled_count: int = 0  # sources that are not in step, where the reader looks after them


def list_cards(user: User) -> list[Card]:
    """What the knowledge home shows, by name."""
    visible = Collection.objects.visible_to(user).select_related("owner")
    return cards_of(user, list(visible.order_by("name", "pk")))


def cards_of(user: User, collections: Sequence[Collection]) -> list[Card]:
    """Of collections that `user` may see, in their order; no documents are walked."""
    ids = [collection.pk for collection in collections]
    shared = set(
        Grant.objects.filter(kind=Grant.Kind.COLLECTION, object_id__in=ids).values_list(
            "object_id", flat=True
        )
    )
    counts = count_documents(ids, user)
    newest = _last_changes(user, ids)
    troubled = count_troubled(user, ids)
    return [
        Card(
            one,
            newest.get(one.pk) or one.updated_at,
            one.pk in shared,
            document_count=(found := counts[one.pk]).documents,
            passage_count=found.passages,
            total_size=found.bytes,
            active_count=sum(found.by_status[status] for status in ACTIVE),
            failed_count=found.by_status[Document.Status.FAILED],
            troubled_count=troubled[one.pk],
        )
        for one in collections
    ]


def described(user: User, collections: list[Any]) -> list[Any]:
    """The same collections, each with what its card says."""
    for found, card in zip(collections, cards_of(user, collections), strict=True):
        found.passage_count, found.bytes = card.passage_count, card.total_size
        found.in_work_count, found.failed_count = card.active_count, card.failed_count
        found.troubled_source_count, found.changed_at = card.troubled_count, card.changed_at
    return collections


def _last_changes(user: User, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Of the documents in each of these collections that `user` may see: the last one's, found by
    its index."""
    here = Document.objects.shown_to(user).filter(collection=OuterRef("pk"))
    last = Subquery(here.order_by("-updated_at", "-id").values("updated_at")[:1])
    rows = Collection.objects.filter(pk__in=ids).annotate(last=last).order_by()
    return dict(rows.values_list("pk", "last"))


def find_progress(
    collection: Collection, documents: "QuerySet[Document] | None" = None
) -> Progress:
    """How the present run of indexing goes, and how long it may still take; of these of the
    collection's `documents` alone, if they are given."""
    if documents is None:
        documents = Document.objects.filter(collection=collection)
    known = documents.filter(job_id__isnull=False)
    # In the order of their index: what is in work, then what waits.
    active = list(
        known.filter(status__in=ACTIVE).order_by("-status").values_list("job_id", "status")[:WINDOW]
    )
    if not active:
        return Progress()
    newest = known.filter(status__in=ENDED).order_by("-updated_at", "-id")
    ended = list(newest.values_list("job_id", "status")[:WINDOW])
    ids = [pk for pk, _ in (*active, *ended)]
    rows = Job.objects.filter(pk__in=ids).values_list("pk", "created_at", "finished_at")
    jobs = {pk: (created, finished) for pk, created, finished in rows}
    began = run_began(jobs.values(), timezone.now())
    counts = Counter(status for _, status in active)
    counts.update(
        status for pk, status in ended if pk in jobs and _finished_since(jobs[pk][1], began)
    )
    if WINDOW in {len(active), len(ended)}:  # this run may be longer
        counts = _count_since(documents, began)
    ready, working, failed, waiting = (counts[status] for status in IN_A_RUN)
    run = Progress(ready, working, failed, waiting)
    done = run.finished + _partly_done(documents)
    return replace(run, time_left=estimate(timezone.now() - began, done, run.total))


def _count_since(documents: "QuerySet[Document]", began: datetime) -> Counter[str]:
    """By state: of those that ended, the ones since then; by their index."""
    ended = documents.filter(status__in=ENDED, updated_at__gte=began)
    active = documents.filter(status__in=ACTIVE)
    found: Counter[str] = Counter()
    for rows in (ended, active):
        counted = rows.order_by().values("status").annotate(n=Count("pk"))
        found.update(dict(counted.values_list("status", "n")))
    return found


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


def _partly_done(documents: "QuerySet[Document]") -> float:
    """Documents' worth of finished work in those that are being indexed; embedding is the bulk."""
    at_work = documents.filter(status=Document.Status.RUNNING).order_by()
    running = Stage.objects.filter(
        document__in=at_work.values("pk"),
        name=Stage.Name.EMBED,
        total__gt=0,
    )
    return sum(done / total for done, total in running.values_list("done", "total"))
