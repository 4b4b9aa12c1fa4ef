"""One item of a visit: its bytes become its document's next version, or why they do not is kept.

An item's document, its row and the counts of the run change in one transaction.
"""

import logging
from dataclasses import dataclass
from uuid import UUID

from django.db import DataError, transaction
from django.db.models import Q
from django.http import Http404
from django.utils.translation import gettext_noop as _

from knowledge.errors import QuotaReached, StorageFull, UploadRefused
from knowledge.models import Document, Source, SourceItem, SyncRun
from knowledge.sources.connector import LONGEST_ID, Connector, Found, ItemFailed
from knowledge.sources.handing import hand_over
from knowledge.sources.tally import Counts, Tally
from security.outbound.errors import OutboundError

log = logging.getLogger(__name__)

# Of an item: a person deleted its document, and no visit has noticed it yet.
DELETED_HERE = Q(state=SourceItem.State.PRESENT) & (
    Q(document=None) | Q(document__discarded_at__isnull=False)
)
TOO_LONG = _("Its name is too long.")
UNEXPECTED = _("It could not be taken in; the log of the server says why.")


@dataclass(frozen=True, slots=True)
class Taker:
    """Takes the items of one run in."""

    run: SyncRun
    source: Source
    connector: Connector
    tally: Tally
    with_deleted: bool  # what people deleted here comes in again

    def take(self, item: SourceItem | None, found: Found) -> None:
        if len(found.external_id) > LONGEST_ID:
            found.external_id = found.external_id[:LONGEST_ID]
            found.failure, found.is_final = TOO_LONG, True
        if item is not None and not self.with_deleted and self.was_deleted_here(item):
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

    def is_left_out(self, item: SourceItem) -> bool:
        return item.state == SourceItem.State.LEFT_OUT and not self.with_deleted

    def was_deleted_here(self, item: SourceItem) -> bool:
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
                self.tally.count(Counts(unchanged=1))

    def _store(self, item: SourceItem | None, found: Found) -> None:
        with self.connector.fetch(found) as file, transaction.atomic():
            # Whoever holds this row may write for the source; a rival waits, and then sees.
            Source.objects.select_for_update(no_key=True).get(pk=self.source.pk)
            row = self._row(item, found)
            if row.seen_in == self.run.pk:
                return
            is_back = row.state == SourceItem.State.MISSING or self.was_deleted_here(row)
            is_new = row.document is None or is_back
            document, is_changed = hand_over(self.source, row, found, file)
            note(row, found, document, self.run.pk)
            self.tally.count(
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
            self.tally.count(Counts(failed=1))
            self.tally.sample({"item": found.external_id[:500], "reason": str(reason)})


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
