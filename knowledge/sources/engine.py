"""Keeping in step: what a source lists is compared with what is known, and only news is fetched.

Items are compared in batches, by one query and one update each. An item's document, its row and the
counts of the run change in one transaction, and an item that a run has seen is not looked at by it
again: a worker may die anywhere, and the next one counts and stores nothing twice.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from django.db import DataError, transaction
from django.db.models import F, Q
from django.http import Http404
from django.utils.translation import gettext_noop as _

from events.context import HandedBack
from events.models import Job
from knowledge.errors import QuotaReached, StorageFull, UploadRefused
from knowledge.models import Document, Source, SourceItem, SyncRun
from knowledge.sources import tombstones
from knowledge.sources.connector import (
    LONGEST_ID,
    Connector,
    Found,
    Gone,
    ItemFailed,
    Known,
    key_of,
)
from knowledge.sources.handing import hand_over
from security.outbound.errors import OutboundError

log = logging.getLogger(__name__)

BATCH = 500
BATCH_BYTES = 8 * 1024 * 1024
SLICE_SECONDS = 45.0
BATCH_SECONDS = 1.0  # a slow walk shows what it has brought so far
CHECK_SECONDS = 0.5
SAMPLED = 100
# Of an item: a person deleted its document, and no visit has noticed it yet.
DELETED_HERE = Q(state=SourceItem.State.PRESENT) & (
    Q(document=None) | Q(document__discarded_at__isnull=False)
)
TOO_LONG = _("Its name is too long.")
UNEXPECTED = _("It could not be taken in; the log of the server says why.")


class Paused(Exception):
    """Somebody paused the source."""


class Progress(Protocol):
    """What a sync needs of its job."""

    def progress(self, stage: str, done: int, total: int) -> None: ...

    def check(self) -> None: ...


@dataclass(slots=True)
class Counts:
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: int = 0

    def changes(self) -> dict[str, Any]:
        names = ("added", "changed", "unchanged", "removed", "failed")
        return {name: F(name) + value for name in names if (value := getattr(self, name))}


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
    _has_worked: bool = False

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
        has_it = found.state == SourceItem.State.PRESENT or self._is_left_out(found)
        if self.with_deleted and self._was_deleted_here(found):
            has_it = False
        if not has_it and not is_seen:
            return Known(links=tuple(found.links))
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
                self._take_one(item, one)
        missing = [items[key] for key in gone if key in items]
        if missing:
            with transaction.atomic():
                self._count(Counts(removed=tombstones.mark(item.pk for item in missing)))
        self._report()

    def _make_way(self) -> None:
        """After a while, jobs that wait come first: a long visit holds no worker for itself."""
        now = time.monotonic()
        self._began = self._began or now
        if now - self._began < SLICE_SECONDS or not self._has_worked:
            return  # a slice that only caught up with the one before would bring nobody further
        if Job.objects.filter(status=Job.Status.QUEUED).exists():
            raise HandedBack
        self._began = now

    def _is_same(self, item: SourceItem, found: Found) -> bool:
        """Whether nothing is to be done about it, but to note that it is still there."""
        if item.seen_in == self.run.pk:
            return False
        if self._is_left_out(item):
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
            self._count(counts)

    # -- One item ----------------------------------------------------------------------------------

    def _take_one(self, item: SourceItem | None, found: Found) -> None:
        if len(found.external_id) > LONGEST_ID:
            found.external_id = found.external_id[:LONGEST_ID]
            found.failure, found.is_final = TOO_LONG, True
        if item is not None and not self.with_deleted and self._was_deleted_here(item):
            self._keep_out(item)
            return
        if found.failure:
            self._fail(item, found, found.failure, may_try_again=not found.is_final)
            return
        try:
            self._store(item, found)
        except ItemFailed as failure:
            self._fail(item, found, str(failure), may_try_again=failure.may_try_again)
        except (QuotaReached, StorageFull, OutboundError) as failure:
            self._fail(item, found, str(failure), may_try_again=True)
        except UploadRefused as refusal:
            self._fail(item, found, str(refusal), may_try_again=False)
        except Http404:  # its document was deleted this very moment
            self._fail(item, found, UNEXPECTED, may_try_again=True)
        except (OSError, ValueError, DataError):
            log.exception("source %s: %r", self.source.pk, found.external_id[:200])
            self._fail(item, found, UNEXPECTED, may_try_again=True)

    def _is_left_out(self, item: SourceItem) -> bool:
        return item.state == SourceItem.State.LEFT_OUT and not self.with_deleted

    def _was_deleted_here(self, item: SourceItem) -> bool:
        """Whether a person deleted the document of an item that was there."""
        if item.state not in {SourceItem.State.PRESENT, SourceItem.State.MISSING}:
            return False
        return item.document is None or item.document.discarded_at is not None

    def _keep_out(self, item: SourceItem) -> None:
        with transaction.atomic():
            changed = SourceItem.objects.filter(pk=item.pk).exclude(seen_in=self.run.pk)
            if changed.update(
                state=SourceItem.State.LEFT_OUT, document=None, missing_since=None,
                seen_in=self.run.pk,
            ):  # fmt: skip
                self._count(Counts(unchanged=1))

    def _store(self, item: SourceItem | None, found: Found) -> None:
        with self.connector.fetch(found) as file, transaction.atomic():
            # Whoever holds this row may write for the source; a rival waits, and then sees.
            Source.objects.select_for_update(no_key=True).get(pk=self.source.pk)
            row = self._row(item, found)
            if row.seen_in == self.run.pk:
                return
            is_back = row.state == SourceItem.State.MISSING or self._was_deleted_here(row)
            is_new = row.document is None or is_back
            document, is_changed = hand_over(self.source, row, found, file)
            note(row, found, document, self.run.pk)
            self._count(
                Counts(added=1) if is_new
                else Counts(changed=1) if is_changed
                else Counts(unchanged=1)
            )  # fmt: skip

    def _row(self, item: SourceItem | None, found: Found) -> SourceItem:
        rows = SourceItem.objects.select_related("document")
        row = rows.filter(source=self.source, key=found.key).first()
        if row is None:
            return SourceItem(source=self.source, key=found.key, external_id=found.external_id)
        return row

    def _fail(
        self, item: SourceItem | None, found: Found, reason: str, *, may_try_again: bool
    ) -> None:
        """Record it; a document that it had before stays as it is."""
        with transaction.atomic():
            row = self._row(item, found)
            if row.seen_in == self.run.pk:
                return
            row.title = (found.title or found.file_name)[:300]
            row.address, row.mark = found.address, found.mark[:200]
            row.links = found.links or row.links
            row.etag = row.last_modified = ""
            row.state, row.reason = SourceItem.State.FAILED, str(reason)
            row.may_try_again, row.missing_since = may_try_again, None
            row.seen_in = self.run.pk
            row.save()
            self._count(Counts(failed=1))
            self._sample({"item": found.external_id[:500], "reason": str(reason)})

    # -- The run -----------------------------------------------------------------------------------

    def _bury(self) -> None:
        """What was there and was not seen by this run is gone, as far as the source knows."""
        while True:
            self.check()
            with transaction.atomic():
                unseen = tombstones.unseen(self.source, self.run.pk)[:BATCH]
                count = tombstones.mark(unseen)
                self._count(Counts(removed=count))
            if not count:
                return

    def _pass_over(self) -> None:
        """What a list of changes does not name is as it was."""
        states = (SourceItem.State.PRESENT, SourceItem.State.LEFT_OUT, SourceItem.State.FAILED)
        rest = self.source.items.filter(state__in=states).exclude(seen_in=self.run.pk)
        deleted = SourceItem.objects.filter(pk__in=rest.filter(DELETED_HERE).values("pk"))
        deleted.update(state=SourceItem.State.LEFT_OUT, document=None)
        self._count(Counts(unchanged=rest.count()))

    def _count(self, counts: Counts) -> None:
        if changes := counts.changes():
            self._has_worked = True
            SyncRun.objects.filter(pk=self.run.pk).update(**changes)

    def _sample(self, entry: dict[str, str]) -> None:
        run = SyncRun.objects.select_for_update().get(pk=self.run.pk)
        if len(run.sample) < SAMPLED:
            run.sample = [*run.sample, entry]
            run.save(update_fields=["sample"])

    def _report(self) -> None:
        self.run.refresh_from_db()
        total = self.connector.total
        if total is not None and total != self.run.total:
            SyncRun.objects.filter(pk=self.run.pk).update(total=total)
        self.job.progress("sync", self.run.seen, max(total or 0, self.run.seen + 1))


def note(row: SourceItem, found: Found, document: Document, run_id: UUID | None) -> None:
    """The item is there, and the document holds what it is."""
    row.document, row.sha256 = document, document.sha256
    row.title = (found.title or found.file_name)[:300]
    row.address = found.address
    row.mark, row.etag = found.mark[:200], found.etag[:300]
    row.last_modified, row.commit = found.last_modified[:64], found.commit
    row.links = found.links
    row.state, row.reason, row.may_try_again = SourceItem.State.PRESENT, "", False
    row.missing_since, row.seen_in = None, run_id
    row.save()
