"""What a visit would bring, before there was one: how many, which, and what would be refused."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath

from django.conf import settings
from django.utils.translation import gettext_noop as _

from knowledge.file_types import FILE_TYPES, NOT_SUPPORTED
from knowledge.models import Source, SyncRun
from knowledge.sources.connector import Connector, Found, Known
from knowledge.sources.engine import CHECK_SECONDS, Progress
from knowledge.storage import TOO_LARGE

SAMPLED = 100
MOST_PAGES = 30  # of a site: enough to see whether it is the right one
ENOUGH = _("Only the first pages were looked at.")
ENDINGS = frozenset(ending for kind in FILE_TYPES for ending in kind.endings)


@dataclass
class Preview:
    """A walk that stores nothing: `added` are those that would come, `failed` what would not."""

    run: SyncRun
    source: Source
    connector: Connector
    job: Progress
    is_preview: bool = True
    cursor: Mapping[str, object] = field(default_factory=dict)
    _checked: float = 0.0

    def go(self) -> None:
        run = self.run
        run.added = run.failed = 0
        run.sample, run.reason = [], ""
        for item in self.connector.walk(self):
            if isinstance(item, Found):
                self._look_at(item)
                done = run.added + run.failed
                self.job.progress("preview", done, max(self.connector.total or 0, done + 1))
            if self.source.kind == Source.Kind.WEB and run.added >= MOST_PAGES:
                run.reason = ENOUGH
                break
        self._save()

    def known(self, external_id: str) -> Known | None:
        return None

    def failed_before(self) -> list[str]:
        return []

    def check(self) -> None:
        if time.monotonic() - self._checked > CHECK_SECONDS:
            self._checked = time.monotonic()
            self.job.check()

    def tell(self, stage: str, done: int, total: int) -> None:
        self.job.progress(stage, done, total)

    def _look_at(self, item: Found) -> None:
        refusal = item.failure or refusal_of(item)
        if refusal:
            self.run.failed += 1
        else:
            self.run.added += 1
        of_its_sort = sum(bool(entry["reason"]) == bool(refusal) for entry in self.run.sample)
        if of_its_sort < SAMPLED // 2:
            entry = {"item": (item.title or item.external_id)[:500], "reason": str(refusal)}
            self.run.sample = [*self.run.sample, entry]
        if (self.run.added + self.run.failed) % 100 == 0:
            self._save()

    def _save(self) -> None:
        self.run.total = self.connector.total
        self.run.save(update_fields=["added", "failed", "sample", "reason", "total"])


def refusal_of(item: Found) -> str:
    """Why it would be refused, as far as its name and size tell; empty if it would not."""
    if PurePath(item.file_name).suffix.lower() not in ENDINGS:
        return NOT_SUPPORTED
    if item.size is not None and item.size > settings.PARLEY_MAX_UPLOAD_MB * 1024 * 1024:
        return TOO_LARGE
    return ""
