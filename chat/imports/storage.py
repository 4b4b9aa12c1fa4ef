"""Uploaded exports on disk, under ids the server made, for as long as they are needed.

They are no documents and in no backup: whoever loses one uploads it again.
"""

import os
import time
from datetime import timedelta
from pathlib import Path
from typing import IO
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from chat.models import Import
from events import jobs
from knowledge.errors import FileTooLarge, StorageFull
from knowledge.storage import NO_ROOM, PIECE, TOO_LARGE, Readable
from observability.outages import is_disk_full

WAITING = timedelta(days=1)  # for its owner to say that it should be imported
REMEMBERED = timedelta(days=30)
OPEN = (Import.State.READING, Import.State.IMPORTING)
UNCLAIMED_SECONDS = 3600
BATCH = 100


def path_of(import_id: UUID) -> Path:
    return Path(settings.IMPORTS_ROOT) / str(import_id)


def store(import_id: UUID, file: Readable) -> int:
    """Stream the upload to disk; its size. Raises FileTooLarge and StorageFull, leaving nothing."""
    path = path_of(import_id)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as target:
            return _copy(file, target)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError) and is_disk_full(error):
            raise StorageFull(NO_ROOM) from error
        raise


def remove(import_id: UUID) -> None:
    path_of(import_id).unlink(missing_ok=True)


def remove_old_imports() -> int:
    """Forget imports that nobody started and reports that are old; files without a row go too. The
    clock calls this."""
    stale = Q(created_at__lt=Now() - WAITING) & ~Q(state__in=OPEN)
    due = Import.objects.filter(
        stale & (Q(finished_at=None) | Q(finished_at__lt=Now() - REMEMBERED))
    )
    removed = 0
    while found := list(due.values_list("pk", "job_id")[:BATCH]):
        for import_id, job_id in found:
            remove(import_id)
            if job_id is not None:
                jobs.request_cancel(job_id)
        removed += Import.objects.filter(pk__in=[pk for pk, _job in found]).delete()[0]
    _remove_orphans()
    return removed


def _copy(file: Readable, target: IO[bytes]) -> int:
    left = settings.PARLEY_MAX_IMPORT_MB * 1024 * 1024
    size = 0
    while piece := file.read(PIECE):
        size += len(piece)
        if size > left:
            raise FileTooLarge(TOO_LARGE)
        target.write(piece)
    return size


def _remove_orphans() -> None:
    folder = Path(settings.IMPORTS_ROOT)
    known = {str(pk) for pk in Import.objects.values_list("pk", flat=True)}
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in known and _is_old(path):
            path.unlink(missing_ok=True)


def _is_old(path: Path) -> bool:
    """An upload that is being written has no row yet."""
    try:
        return path.stat().st_mtime < time.time() - UNCLAIMED_SECONDS
    except FileNotFoundError:
        return False
