"""The conversations' files of an upload: itself, or those of them in a ZIP."""

import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings
from django.utils.translation import gettext_noop as _

from chat.imports.types import Unreadable

PIECE = 64 * 1024
NAMES = re.compile(r"(?:.*/)?conversations(?:[-_]\d+)?\.jsonl?", re.IGNORECASE)
GROWTH = 20  # a text export is packed to a tenth
LARGEST_DIRECTORY = 16_000_000  # bytes: each name in it becomes an object
END, END_64, LOCATOR = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"

DAMAGED = _("The archive is damaged.")
LOCKED = _("The archive is locked with a password. Unpack it first.")
TOO_MUCH = _("The archive unpacks to more than this server reads.")
NOT_THERE = _("There is no conversations.json in this archive. Is it an export?")

Report = Callable[[int, int], None]


def read_parts(path: Path, report: Report) -> Iterator[Iterator[bytes]]:
    """The bytes of each file with conversations; `report(done, total)` is called on the way.

    Raises Unreadable, also while the bytes are read: an archive is believed nothing.
    """
    with path.open("rb") as file:
        if file.read(4) != b"PK\x03\x04":
            file.seek(0)
            size = path.stat().st_size
            yield _pieces(file, size, size, report)
            return
        with _opened(file) as archive:
            chosen = [info for info in archive.infolist() if NAMES.fullmatch(info.filename)]
            if not chosen:
                raise Unreadable(NOT_THERE)
            if any(info.flag_bits & 1 for info in chosen):
                raise Unreadable(LOCKED)
            limit = GROWTH * settings.PARLEY_MAX_IMPORT_MB * 2**20
            total = min(limit, sum(info.file_size for info in chosen))
            done = 0
            for info in sorted(chosen, key=lambda info: info.filename):
                with _member(archive, info) as member:
                    yield _pieces(member, limit - done, total, report, done)
                    done += member.tell()


@contextmanager
def _opened(file: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    if _directory_size(file) > LARGEST_DIRECTORY:
        raise Unreadable(DAMAGED)
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise Unreadable(DAMAGED) from error
    with archive:
        yield archive


@contextmanager
def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[IO[bytes]]:
    try:
        member = archive.open(info)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        raise Unreadable(DAMAGED) from error
    with member:
        yield member


def _pieces(
    file: IO[bytes], limit: int, total: int, report: Report, before: int = 0
) -> Iterator[bytes]:
    done = 0
    while True:
        try:
            piece = file.read(PIECE)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise Unreadable(DAMAGED) from error
        if not piece:
            return
        done += len(piece)
        if done > limit:
            raise Unreadable(TOO_MUCH)
        report(before + done, total)
        yield piece


def _directory_size(file: IO[bytes]) -> int:
    """What the archive says of its list of names, in either format; `zipfile` reads all of it."""
    size = file.seek(0, 2)
    start = max(0, size - 65_557 - 76)
    file.seek(start)
    tail = file.read()
    file.seek(0)
    at = tail.rfind(END)
    if at < 0 or at + 22 > len(tail):
        return 0
    found: int = struct.unpack_from("<I", tail, at + 12)[0]
    found = 0 if found == 0xFFFFFFFF else found
    if at >= 20 and tail[at - 20 : at - 16] == LOCATOR:
        (offset,) = struct.unpack_from("<Q", tail, at - 12)
        file.seek(min(offset, size))
        record = file.read(56)
        file.seek(0)
        if record[:4] == END_64 and len(record) >= 48:
            found = max(found, struct.unpack_from("<Q", record, 40)[0])
    return found
