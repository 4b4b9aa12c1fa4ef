"""Uploaded files on disk under ids the server made: no name from outside is part of a path."""

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext_noop as _

from knowledge.errors import FileTooLarge, StorageFull
from observability.outages import is_disk_full
from security.ids import new_id

PIECE = 256 * 1024
TOO_LARGE = _("This file is larger than this server takes. Split it, or ask the administrator.")
NO_ROOM = _("This server has no room for the file. Try again later, or tell the administrator.")
# A file that still has no row after this long belongs to an upload that died.
ORPHAN_SECONDS = 3600
FILES_LOCK = 0x7061726C65790003  # "parley", 3: shared to remove a file, held alone by a backup


class Readable(Protocol):
    """A file open for reading bytes: an upload, or one on disk."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class StoredFile:
    path: Path
    size: int
    sha256: str


def path_of(document_id: UUID) -> Path:
    """Where the document's file is. The folder is the end of the id: its beginning is the time."""
    name = str(document_id)
    return Path(settings.FILES_ROOT) / name[-2:] / name


def store(document_id: UUID, file: Readable, megabytes: int | None = None) -> StoredFile:
    """Stream `file` to disk and hash it on the way; it is durable when this returns.

    Raises `FileTooLarge` past the limit (PARLEY_MAX_UPLOAD_MB) and `StorageFull` when the disk is;
    nothing is left behind.
    """
    limit = settings.PARLEY_MAX_UPLOAD_MB if megabytes is None else megabytes
    path = path_of(document_id)
    partial = path.with_suffix(".part")
    with _full_disk_said():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return _write(partial, path, _pieces(file, limit * 1024 * 1024))
        except BaseException:
            for left in (partial, path):
                left.unlink(missing_ok=True)
            raise


def replace(document_id: UUID, content: bytes) -> StoredFile:
    """Put other bytes in the place of the stored file; whoever reads it sees the old or the new."""
    path = path_of(document_id)
    partial = path.with_suffix(f".{new_id()}.part")
    with _full_disk_said():
        try:
            return _write(partial, path, iter([content]))
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


@contextmanager
def _full_disk_said() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise StorageFull(NO_ROOM) from error
        raise


def _write(partial: Path, path: Path, pieces: Iterator[bytes]) -> StoredFile:
    digest = hashlib.sha256()
    size = 0
    with partial.open("xb") as target:
        for piece in pieces:
            size += len(piece)
            digest.update(piece)
            target.write(piece)
        target.flush()
        os.fsync(target.fileno())
    partial.rename(path)
    _sync_folder(path.parent)
    return StoredFile(path, size, digest.hexdigest())


def _sync_folder(folder: Path) -> None:
    """Without this a power cut can take the name of a file whose bytes are safe."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(document_id: UUID) -> None:
    path_of(document_id).unlink(missing_ok=True)


def retire(document_id: UUID) -> bool:
    """Remove the file of a row that is gone. While a backup is made it stays: the backup may still
    have to read it, nobody else can, and the sweeper comes again. Never waits."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock_shared(%s)", [FILES_LOCK])
        is_free: bool = cursor.fetchone()[0]
        if is_free:
            remove(document_id)
        return is_free


def list_older_files(batch: int) -> Iterator[list[UUID]]:
    """Ids of the files that no upload can still be writing; leftovers of dead uploads go."""
    threshold = time.time() - ORPHAN_SECONDS
    found: list[UUID] = []
    for path in Path(settings.FILES_ROOT).glob("??/*"):
        with suppress(FileNotFoundError, ValueError):  # removed meanwhile; not a file of ours
            if path.stat().st_mtime > threshold:
                continue
            if path.suffix == ".part":
                path.unlink()
                continue
            found.append(UUID(path.name))
        if len(found) == batch:
            yield found
            found = []
    yield found


def _pieces(file: Readable, limit: int) -> Iterator[bytes]:
    left = limit
    while piece := file.read(PIECE):
        left -= len(piece)
        if left < 0:
            raise FileTooLarge(TOO_LARGE)
        yield piece
