"""Folders of the server that sources may read: below PARLEY_SOURCE_ROOTS, and nothing else.

A path is followed to where it really leads before it is judged, so neither `..` nor a link leaves
a root; files are opened without following a link that was put there since.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.utils.translation import gettext as _

from knowledge.sources.connector import ItemFailed, SourceUnusable


def allowed_roots() -> list[Path]:
    """As configured, without those that are not there."""
    return [path for text in settings.PARLEY_SOURCE_ROOTS if (path := _real(text)) is not None]


def require_folder(text: str) -> Path:
    """Where this path really leads, if that is a folder in a root; raises SourceUnusable.

    One that is not there is answered like one outside: nobody learns what else the server has.
    """
    found = _real(text) if text.startswith("/") and "\0" not in text else None
    roots = allowed_roots()
    if found is None or not any(found.is_relative_to(root) for root in roots) or not found.is_dir():
        raise SourceUnusable(
            _("This is no folder that sources may read. The administrator of this server sets "
              "which ones are: PARLEY_SOURCE_ROOTS.")
        )  # fmt: skip
    return found


@contextmanager
def open_below(root: Path, relative: str) -> Iterator[BinaryIO]:
    """The regular file at this place below `root`, opened part by part, never through a link."""
    parts = relative.split("/")
    if not {"", ".", ".."}.isdisjoint(parts):
        raise ItemFailed(_("It is no ordinary file."), may_try_again=False)
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        # Without NONBLOCK a pipe with that name would hold the worker for ever.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        file = os.fdopen(os.open(parts[-1], flags, dir_fd=folder), "rb")
    except OSError as error:
        raise ItemFailed(_("It cannot be read: %(why)s.") % {"why": error.strerror}) from error
    finally:
        os.close(folder)
    with file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ItemFailed(_("It is no ordinary file."), may_try_again=False)
        yield file


def _real(text: str) -> Path | None:
    try:
        return Path(text).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        return None
