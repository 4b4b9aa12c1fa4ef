"""What a run has brought so far, as its row says it."""

from dataclasses import dataclass
from typing import Any

from django.db.models import F

from knowledge.models import SyncRun

SAMPLED = 100


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


class Tally:
    """Counts in the transaction of what it counts."""

    def __init__(self, run: SyncRun) -> None:
        self.has_begun = False  # something was counted by this very process
        self._run = run

    def count(self, counts: Counts) -> None:
        if changes := counts.changes():
            self.has_begun = True
            SyncRun.objects.filter(pk=self._run.pk).update(**changes)

    def sample(self, entry: dict[str, str]) -> None:
        run = SyncRun.objects.select_for_update().get(pk=self._run.pk)
        if len(run.sample) < SAMPLED:
            run.sample = [*run.sample, entry]
            run.save(update_fields=["sample"])
