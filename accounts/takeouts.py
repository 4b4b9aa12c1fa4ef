"""Everything of a person's as one ZIP: made by a job, for them alone, gone after three days.

The apps write their parts themselves, in `settings.TAKEOUT`. A part is a generator over the open
archive: it yields first how many pieces it has, then once for each.
"""

import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import Http404
from django.utils import timezone, translation
from django.utils.module_loading import import_string
from django.utils.translation import gettext_noop as _

from accounts.models import Takeout, User
from events import jobs
from events.context import JobContext, JobFailed
from events.models import Job
from observability.outages import is_disk_full
from security import audit
from security.acts import Act

KEPT = timedelta(days=3)
PACK = "accounts.takeouts.pack"
NO_ROOM = _("This server has no room for the export. Tell an administrator.")

Part = Callable[[User, zipfile.ZipFile], Iterator[int]]


@dataclass(frozen=True, slots=True)
class Shown:
    """A takeout with the job that makes it, which is None once that is forgotten."""

    takeout: Takeout
    job: Job | None

    @property
    def is_ready(self) -> bool:
        return self.takeout.size is not None

    @property
    def is_running(self) -> bool:
        return not self.is_ready and self.job is not None and self.job.finished_at is None

    @property
    def status(self) -> str:
        return "ready" if self.is_ready else "running" if self.is_running else "failed"


@transaction.atomic
def request_takeout(user: User) -> Shown:
    """A new export, or the one that is being made already."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # twice at once is once
    for shown in list_takeouts(user):
        if shown.is_running:
            return shown
    takeout = Takeout.objects.create(owner=user, expires_at=timezone.now() + KEPT)
    job = jobs.enqueue(PACK, {"takeout_id": str(takeout.pk)}, user.pk)
    takeout.job_id = job.pk
    takeout.save(update_fields=["job_id"])
    audit.record(Act.DATA_EXPORTED, user, by=user)
    return Shown(takeout, job)


def list_takeouts(user: User) -> list[Shown]:
    """Those of theirs that are not over, the newest first."""
    rows = list(user.takeouts.filter(expires_at__gt=timezone.now()))
    made_by = Job.objects.in_bulk([row.job_id for row in rows if row.job_id])
    return [Shown(row, made_by.get(row.job_id)) for row in rows]


def find_takeout(user: User, takeout_id: UUID) -> Shown:
    """Raises Http404, also for what is over."""
    for shown in list_takeouts(user):
        if shown.takeout.pk == takeout_id:
            return shown
    raise Http404


def find_file(user: User, takeout_id: UUID) -> Path:
    """The finished file of a takeout of theirs. Raises Http404."""
    path = _path_of(takeout_id)
    if not find_takeout(user, takeout_id).is_ready or not path.exists():
        raise Http404
    audit.record(Act.DATA_DOWNLOADED, user, by=user)
    return path


def remove_takeout(user: User, takeout_id: UUID) -> None:
    """Raises Http404."""
    shown = find_takeout(user, takeout_id)
    if shown.is_running and shown.job is not None:
        jobs.request_cancel(shown.job.pk)
    _remove([shown.takeout.pk])


def pack(context: JobContext, takeout_id: str) -> None:
    """Write the archive beside its place, then put it there."""
    takeout = Takeout.objects.select_related("owner").filter(pk=takeout_id).first()
    if takeout is None:
        return
    path = _path_of(takeout.pk)
    partial = path.with_suffix(f".{context.attempt}.part")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with translation.override(takeout.owner.language or settings.LANGUAGE_CODE):
            _write(takeout.owner, partial, context)
        size = partial.stat().st_size
        partial.rename(path)
    except OSError as error:
        if is_disk_full(error):
            raise JobFailed(NO_ROOM) from error
        raise
    finally:
        partial.unlink(missing_ok=True)
    done = Takeout.objects.filter(pk=takeout.pk)
    if not done.update(size=size, expires_at=timezone.now() + KEPT):
        path.unlink(missing_ok=True)  # they left, or took it back, while it was made


def _write(user: User, path: Path, context: JobContext) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        parts = [import_string(name)(user, archive) for name in settings.TAKEOUT]
        total, done = sum(next(part) for part in parts), 0
        for part in parts:
            for _piece in part:
                done += 1
                context.progress("pack", min(done, total), total)


def sweep() -> int:
    """Remove what is over, and files that belong to nothing; how many. The clock calls this."""
    over = list(Takeout.objects.filter(expires_at__lt=timezone.now()).values_list("pk", flat=True))
    _remove(over)
    return len(over) + _remove_strays()


def remove_everything_of(user: User) -> None:
    """Their archives, in the transaction in which they go (`DEPARTURES`)."""
    _remove(list(user.takeouts.values_list("pk", flat=True)))


def _remove(takeout_ids: list[UUID]) -> None:
    Takeout.objects.filter(pk__in=takeout_ids).delete()
    transaction.on_commit(lambda: _unlink(takeout_ids))


def _unlink(takeout_ids: list[UUID]) -> None:
    for pk in takeout_ids:
        _path_of(pk).unlink(missing_ok=True)


def _remove_strays() -> int:
    """What a worker that died left behind, or a restored database does not know."""
    threshold = (timezone.now() - KEPT).timestamp()
    strays = [
        path for path in Path(settings.TAKEOUTS_ROOT).glob("*") if path.stat().st_mtime < threshold
    ]
    for path in strays:
        path.unlink(missing_ok=True)
    return len(strays)


def _path_of(takeout_id: UUID) -> Path:
    return Path(settings.TAKEOUTS_ROOT) / f"{takeout_id}.zip"
