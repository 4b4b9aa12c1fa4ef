"""What the clock puts right: items whose grace is over, runs whose job died, copies left behind."""

import shutil
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from django.utils.translation import gettext_noop as _

from events.models import Job
from knowledge.models import Source, SyncRun
from knowledge.sources import tombstones
from knowledge.sources.places import repositories

STOPPED = _("The sync was stopped. Start it again.")
KEPT_RUNS = 200  # of a source
KEPT_DAYS = 365


def sweep() -> None:
    tombstones.purge()
    close_abandoned_runs()
    remove_old_runs()
    remove_repositories()


def close_abandoned_runs() -> int:
    """Fail runs whose job ended, or was forgotten, without them; how many."""
    open_job = Job.objects.filter(pk=OuterRef("job_id"), finished_at=None)
    states = (SyncRun.Status.QUEUED, SyncRun.Status.RUNNING)
    abandoned = SyncRun.objects.filter(~Exists(open_job), status__in=states)
    return abandoned.update(status=SyncRun.Status.FAILED, reason=STOPPED, finished_at=Now())


def remove_old_runs() -> int:
    """Of what is older than a year, all but the last ones of each source; how many."""
    old = SyncRun.objects.filter(
        status__in=SyncRun.ENDED, created_at__lt=Now() - timedelta(days=KEPT_DAYS)
    )
    later = SyncRun.objects.filter(source=OuterRef("source"), pk__gt=OuterRef("pk"))
    count, _by_model = old.filter(Exists(later.order_by("pk")[KEPT_RUNS : KEPT_RUNS + 1])).delete()
    return count


def remove_repositories() -> int:
    """Remove the copies of repositories whose source is gone; how many."""
    copies: dict[UUID, Path] = {}
    for path in repositories().glob("*"):
        try:
            copies[UUID(path.name)] = path
        except ValueError:
            continue
    known = set(Source.objects.filter(pk__in=list(copies)).values_list("pk", flat=True))
    gone = [path for pk, path in copies.items() if pk not in known]
    for path in gone:
        shutil.rmtree(path, ignore_errors=True)
    return len(gone)
