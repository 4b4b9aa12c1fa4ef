"""Keeping in step: what a source lists is compared with what is known, and only news is fetched.

Items are compared in batches, by one query and one update each; `taking` is what is done with one.
An item that a run has seen is not looked at by it again: a worker may die anywhere, and the next
one counts and stores nothing twice.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from django.db import transaction
from django.db.models import Q

from events.context import HandedBack
from events.models import Job
from knowledge.models import Source, SourceItem, SyncRun
from knowledge.sources import tombstones
from knowledge.sources.connector import Connector, Found, Gone, Known, key_of
from knowledge.sources.taking import DELETED_HERE, Taker
from knowledge.sources.tally import Counts, Tally

BATCH = 500
BATCH_BYTES = 8 * 1024 * 1024
SLICE_SECONDS = 45.0
BATCH_SECONDS = 1.0  # a slow walk shows what it has brought so far
CHECK_SECONDS = 0.5


class Paused(Exception):
    """Somebody paused the source."""


class Progress(Protocol):
    """What a sync needs of its job."""

    def progress(self, stage: str, done: int, total: int) -> None: ...

    def check(self) -> None: ...


@dataclass
class Sync:
    """One run over one source, as the `Walk` that its connector asks."""

    run: SyncRun
    source: Source
    connector: Connector
    job: Progress
    is_full: bool = False  # those that failed for what they are, are tried again too
    with_deleted: bool = False  # what people deleted here comes in again
    is_preview: bool = False
    cursor: Mapping[str, object] = field(default_factory=dict)
    _told: float = 0.0
    _began: float = 0.0

    def __post_init__(self) -> None:
        self._tally = Tally(self.run)
        self._taker = Taker(self.run, self.source, self.connector, self._tally, self.with_deleted)

    def go(self) -> None:
        """Walk to the end. What was done before an exception stays done."""
        self.cursor = self.source.cursor
        for batch in self._batches(self.connector.walk(self)):
            self._take(batch)
        if self.connector.is_complete:
            self._bury()
        elif self.connector.lists_changes:
            self._pass_over()
        Source.objects.filter(pk=self.source.pk).update(cursor=self.connector.cursor)

    # -- What a walk may ask -----------------------------------------------------------------------

    def known(self, external_id: str) -> Known | None:
        rows = SourceItem.objects.filter(source=self.source, key=key_of(external_id))
        found = rows.select_related("document").first()
        if found is None:
            return None
        is_seen = found.seen_in == self.run.pk
        has_it = found.state == SourceItem.State.PRESENT or self._taker.is_left_out(found)
        if self.with_deleted and self._taker.was_deleted_here(found):
            has_it = False
        if not has_it and not is_seen:
            was_read = bool(found.links) or found.document_id is not None
            return Known(links=tuple(found.links), was_read=was_read)
        return Known(found.etag, found.last_modified, tuple(found.links), is_seen)

    def failed_before(self) -> list[str]:
        wanted = Q(state=SourceItem.State.FAILED)
        if not self.is_full:
            wanted &= Q(may_try_again=True)
        if self.with_deleted:
            wanted |= Q(state=SourceItem.State.LEFT_OUT) | DELETED_HERE
        failed = self.source.items.filter(wanted)
        return list(failed.exclude(seen_in=self.run.pk).values_list("external_id", flat=True))

    def check(self) -> None:
        now = time.monotonic()
        if now - self._told < CHECK_SECONDS:
            return
        self._told = now
        self.job.check()
        if Source.objects.filter(pk=self.source.pk, is_paused=True).exists():
            raise Paused

    def tell(self, stage: str, done: int, total: int) -> None:
        self.job.progress(stage, done, total)

    # -- Batches -----------------------------------------------------------------------------------

    def _batches(self, items: Iterator[Found | Gone]) -> Iterator[list[Found | Gone]]:
        batch: list[Found | Gone] = []
        began, weight = time.monotonic(), 0
        for item in items:
            batch.append(item)
            if isinstance(item, Found) and item.body is not None:
                weight += len(item.body)
            is_old = time.monotonic() - began > BATCH_SECONDS
            if len(batch) >= BATCH or weight > BATCH_BYTES or is_old:
                yield batch
                batch, weight = [], 0
                began = time.monotonic()
        yield batch

    def _take(self, batch: list[Found | Gone]) -> None:
        self.check()
        self._make_way()
        found = {item.key: item for item in batch if isinstance(item, Found)}
        gone = {key_of(item.external_id) for item in batch if isinstance(item, Gone)}
        rows = SourceItem.objects.filter(source=self.source, key__in=[*found, *gone])
        items = {item.key: item for item in rows.select_related("document")}
        same = [
            items[key]
            for key, one in found.items()
            if key in items and self._is_same(items[key], one)
        ]
        self._leave(same)
        left = {item.key for item in same}
        for key, one in found.items():
            item = items.get(key)
            if key not in left and (item is None or item.seen_in != self.run.pk):
                self.check()
                self._taker.take(item, one)
        missing = [items[key] for key in gone if key in items]
        if missing:
            with transaction.atomic():
                self._tally.count(Counts(removed=tombstones.mark(item.pk for item in missing)))
        self._report()

    def _make_way(self) -> None:
        """After a while, jobs that wait come first: a long visit holds no worker for itself."""
        now = time.monotonic()
        self._began = self._began or now
        if now - self._began < SLICE_SECONDS or not self._tally.has_begun:
            return  # a slice that only caught up with the one before would bring nobody further
        if Job.objects.filter(status=Job.Status.QUEUED).exists():
            raise HandedBack
        self._began = now

    def _is_same(self, item: SourceItem, found: Found) -> bool:
        """Whether nothing is to be done about it, but to note that it is still there."""
        if item.seen_in == self.run.pk:
            return False
        if self._taker.is_left_out(item):
            return True
        if found.failure:
            return False
        if item.state == SourceItem.State.FAILED:
            is_kept = not item.may_try_again and not self.is_full
            return is_kept and bool(found.mark) and found.mark == item.mark
        if item.document_id is None or item.document is None or item.document.discarded_at:
            return False
        return found.is_unchanged or (bool(found.mark) and found.mark == item.mark)

    def _leave(self, items: list[SourceItem]) -> None:
        """Note that they are there, unchanged; those that were gone are back."""
        if not items:
            return
        back = [item.pk for item in items if item.state == SourceItem.State.MISSING]
        ids = [item.pk for item in items]
        with transaction.atomic():
            rows = SourceItem.objects.filter(pk__in=ids)
            # Locked in one order: two workers who both think that the run is theirs only wait.
            fresh = list(
                rows.exclude(seen_in=self.run.pk)
                .order_by("id").select_for_update().values_list("pk", flat=True)
            )  # fmt: skip
            SourceItem.objects.filter(pk__in=fresh).update(seen_in=self.run.pk)
            returned = set(back) & set(fresh)
            tombstones.unmark(returned)
            counts = Counts(added=len(returned), unchanged=len(fresh) - len(returned))
            self._tally.count(counts)

    # -- The run -----------------------------------------------------------------------------------

    def _bury(self) -> None:
        """What was there and was not seen by this run is gone, as far as the source knows."""
        while True:
            self.check()
            with transaction.atomic():
                unseen = tombstones.unseen(self.source, self.run.pk)[:BATCH]
                count = tombstones.mark(unseen)
                self._tally.count(Counts(removed=count))
            if not count:
                return

    def _pass_over(self) -> None:
        """What a list of changes does not name is as it was."""
        states = (SourceItem.State.PRESENT, SourceItem.State.LEFT_OUT, SourceItem.State.FAILED)
        rest = self.source.items.filter(state__in=states).exclude(seen_in=self.run.pk)
        deleted = SourceItem.objects.filter(pk__in=rest.filter(DELETED_HERE).values("pk"))
        deleted.update(state=SourceItem.State.LEFT_OUT, document=None)
        self._tally.count(Counts(unchanged=rest.count()))

    def _report(self) -> None:
        self.run.refresh_from_db()
        total = self.connector.total
        if total is not None and total != self.run.total:
            SyncRun.objects.filter(pk=self.run.pk).update(total=total)
        self.job.progress("sync", self.run.seen, max(total or 0, self.run.seen + 1))
