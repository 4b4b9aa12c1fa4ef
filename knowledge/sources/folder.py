"""A folder on the server, with what is below it. Hidden files and links are left out."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from django.utils.translation import gettext as _

from knowledge.file_names import printable
from knowledge.sources.connector import Found, Gone, SourceUnusable, Walk
from knowledge.sources.names import raw, storable
from knowledge.sources.patterns import Wanted
from knowledge.sources.roots import open_below, require_folder
from knowledge.sources.settings import FolderSettings
from knowledge.storage import Readable

DEEPEST = 64


class FolderConnector:
    """The mark of a file is its size, its time and its place on the disk."""

    def __init__(self, settings: FolderSettings, secret: str = "", state: str = "") -> None:
        self._root = require_folder(settings.path)
        self._wanted = Wanted(settings.include, settings.exclude)
        self.is_complete, self.lists_changes = True, False
        self.cursor: dict[str, object] = {}
        self.total: int | None = None
        self.remark = ""

    def walk(self, walk: Walk) -> Iterator[Found | Gone]:
        self.total = sum(1 for _file in self._wanted_files(walk))  # names alone: that is quick
        for entry, relative in self._wanted_files(walk):
            yield _found(entry, relative)

    def fetch(self, found: Found) -> AbstractContextManager[Readable]:
        return open_below(self._root, os.fsdecode(raw(found.external_id)))

    def close(self) -> None:
        """Nothing is open between two items."""

    def _wanted_files(self, walk: Walk) -> Iterator[tuple["os.DirEntry[str]", str]]:
        files = self._files(self._root, "", 0, walk)
        return (found for found in files if found[1] in self._wanted)

    def _files(
        self, folder: Path, prefix: str, depth: int, walk: Walk
    ) -> Iterator[tuple["os.DirEntry[str]", str]]:
        """In the order of their names, so that two walks are alike."""
        walk.check()
        try:
            with os.scandir(folder) as scanned:
                entries = sorted(scanned, key=lambda entry: entry.name)
        except OSError as error:
            if not prefix:
                raise SourceUnusable(_("The folder cannot be read.")) from error
            self.is_complete = False  # what is in it is not known to be gone
            return
        for entry in entries:
            if entry.name.startswith(".") or entry.is_symlink():
                continue
            relative = prefix + entry.name
            if entry.is_dir(follow_symlinks=False):
                if depth < DEEPEST:
                    yield from self._files(Path(entry.path), f"{relative}/", depth + 1, walk)
            elif entry.is_file(follow_symlinks=False):
                yield entry, relative


def _found(entry: "os.DirEntry[str]", relative: str) -> Found:
    shown = printable(relative)
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError:
        return Found(
            storable(os.fsencode(relative)), entry.name, shown, failure=_("It cannot be read.")
        )
    return Found(
        storable(os.fsencode(relative)),
        entry.name,
        title=shown,
        mark=f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}",
        size=status.st_size,
    )
