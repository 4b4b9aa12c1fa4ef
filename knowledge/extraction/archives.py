"""Zip archives that hold a document: looked through before any library opens them."""

import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from knowledge.extraction.reasons import BOMB, DAMAGED, DTD, ENCRYPTED, ExtractionFailed

MAX_UNPACKED = 200 * 1024 * 1024
MAX_ENTRIES = 10_000
PIECE = 1024 * 1024
# What a page of a book may say at its start: no types of its own.
ENTITIES = re.compile(rb"<!ENTITY", re.IGNORECASE)
TYPES = re.compile(rb"<!DOCTYPE")
LONGEST_MARK = 16
BROKEN = (zipfile.BadZipFile, KeyError, ValueError, NotImplementedError, EOFError, OSError)

# Nothing that is ever read as XML: drawings (SVG) and what printers are told often name types.
_UNREAD = tuple(
    f"{program}/{folder}/" for program in ("word", "ppt", "xl")
    for folder in ("media", "printerSettings")
)  # fmt: skip


def check_archive(path: Path, refused: re.Pattern[bytes] = TYPES) -> None:
    """Refuse a bomb by counting what really unpacks, and any part that declares types (`refused`).

    Without its NUL bytes a declaration looks the same in UTF-8, UTF-16 and UTF-32. Raises
    `ExtractionFailed`, for an archive that is damaged too.
    """
    with opened(path) as archive:
        entries = archive.infolist()
        if len(entries) > MAX_ENTRIES:
            raise ExtractionFailed(BOMB)
        left = MAX_UNPACKED
        for entry in entries:
            if entry.flag_bits & 1:
                raise ExtractionFailed(ENCRYPTED)
            tail = b""
            for piece in _pieces(archive, entry):
                left -= len(piece)
                if left < 0:
                    raise ExtractionFailed(BOMB)
                if entry.filename.startswith(_UNREAD):
                    continue
                text = tail + piece.translate(None, b"\0")
                if refused.search(text):
                    raise ExtractionFailed(DTD)
                tail = text[-LONGEST_MARK:]


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive; what is wrong with it is said as damage."""
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            yield archive
    except BROKEN as error:
        raise ExtractionFailed(DAMAGED) from error


def _pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(entry) as part:
        while piece := part.read(PIECE):
            yield piece
