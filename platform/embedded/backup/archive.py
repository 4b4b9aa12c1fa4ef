"""The backup file: a plain tar, written and read as a stream, every part with its SHA-256.

`parley-backup` (the format) comes first, `manifest.json` and its own SHA-256 last: they can only be
known then. A part's size is known only after it was written, too, so its header is put in place
afterwards. Nothing is ever extracted by a name in the archive: whoever reads it says where it goes.
"""

import hashlib
import os
import re
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from embedded.backup.errors import BackupError, BackupRefused
from embedded.backup.manifest import FORMAT, Manifest, Part, read_manifest

PIECE = 1024 * 1024
SIGNATURE, DATABASE = "parley-backup", "database.dump"
MANIFEST, SEAL = "manifest.json", "manifest.sha256"
LARGEST_IN_MEMORY = 2**28  # of the parts that are read whole
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
KNOWN_NAMES = re.compile(rf"{DATABASE}|files/{UUID}|keys/[a-z][a-z0-9_-]{{0,40}}\.key")
Seen = Callable[[int], None]  # told of every so many bytes


class Writer:
    """Appends parts to an open file and remembers what they were."""

    def __init__(self, file: IO[bytes], created: float) -> None:
        self.parts: dict[str, Part] = {}
        self._file = file
        self._created = int(created)
        self._add(SIGNATURE, [f"{FORMAT}\n".encode()])

    def add(self, name: str, pieces: Iterable[bytes]) -> Part:
        """Write one part as its pieces come; nothing of it stays when they end in an error."""
        if not KNOWN_NAMES.fullmatch(name):
            raise ValueError(name)
        self.parts[name] = self._add(name, pieces)
        return self.parts[name]

    def close(self, manifest: Manifest) -> None:
        part = self._add(MANIFEST, [manifest.model_dump_json().encode()])
        self._add(SEAL, [part.sha256.encode()])
        self._file.write(tarfile.NUL * (2 * tarfile.BLOCKSIZE))

    def _add(self, name: str, pieces: Iterable[bytes]) -> Part:
        start = self._file.tell()
        digest, size = hashlib.sha256(), 0
        try:
            self._file.seek(start + tarfile.BLOCKSIZE)
            for piece in pieces:
                self._file.write(piece)
                digest.update(piece)
                size += len(piece)
        except BaseException:
            self._file.seek(start)
            self._file.truncate()
            raise
        self._file.write(tarfile.NUL * (-size % tarfile.BLOCKSIZE))
        end = self._file.tell()
        header = tarfile.TarInfo(name)
        header.size, header.mode, header.mtime = size, 0o600, self._created
        self._file.seek(start)
        self._file.write(header.tobuf(tarfile.GNU_FORMAT))
        self._file.seek(end)
        return Part(size=size, sha256=digest.hexdigest())


@contextmanager
def written_whole(path: Path, check: Callable[[Path], object]) -> Iterator[IO[bytes]]:
    """A file that appears under its name complete, checked and durable, or not at all.

    Only its owner may read it.
    """
    if path.exists():
        raise BackupError(f"{path} exists already. Choose another name, or move it away.")
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)  # of a backup that was killed
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w+b", buffering=PIECE) as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            check(partial)
            partial.rename(path)
            make_durable(path.parent)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as problem:
        raise BackupError(
            f"{path} cannot be written: {problem.strerror}. "
            "No backup was made; choose another folder, or free some space."
        ) from problem


def make_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def verify(path: Path, seen: Seen = lambda _bytes: None) -> Manifest:
    """Read every byte and compare it with the manifest. Raises `BackupRefused`."""
    found: dict[str, Part] = {}
    ends: dict[str, bytes] = {}
    for name, pieces in read_parts(path):
        if name in found or name in ends:
            raise BackupRefused(f"{path}: {name} is in it twice.")
        if name in {MANIFEST, SEAL}:
            ends[name] = b"".join(pieces)
        elif ends:
            raise BackupRefused(f"{path}: {name} stands behind the end.")
        else:
            found[name] = _measure(pieces, seen)
    if SEAL not in ends:
        raise BackupRefused(f"{path} is cut short: its end is missing.")
    if hashlib.sha256(ends.get(MANIFEST, b"")).hexdigest().encode() != ends[SEAL]:
        raise BackupRefused(f"{path} is damaged: its manifest was changed.")
    manifest = read_manifest(ends[MANIFEST])
    if wrong := sorted(name for name in {*found, *manifest.parts}
                       if found.get(name) != manifest.parts.get(name)):  # fmt: skip
        raise BackupRefused(f"{path} is damaged: {wrong[0]} is not what was backed up.")
    if DATABASE not in found:
        raise BackupRefused(f"{path} holds no database.")
    return manifest


def read_parts(path: Path) -> Iterator[tuple[str, Iterator[bytes]]]:
    """Every part in the order of the file, its pieces to be read before the next one is asked for.

    Raises `BackupRefused` at the first thing that does not belong into a backup.
    """
    with _refusing(path), path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
        for position, member in enumerate(_members(tar)):
            name = _checked(member, path)
            pieces = _pieces(tar, member, path)
            if position:
                yield name, pieces
            elif name != SIGNATURE or b"".join(pieces).strip() != str(FORMAT).encode():
                raise BackupRefused(f"{path} is no backup that this Parley can read.")


def _pieces(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> Iterator[bytes]:
    content = tar.extractfile(member)
    assert content is not None
    with _refusing(path):
        while piece := content.read(PIECE):
            yield piece


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError) as problem:
        raise BackupRefused(f"{path} is no whole backup: {problem}.") from problem
    except OSError as problem:
        raise BackupError(f"{path} cannot be read: {problem.strerror}.") from problem


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (member := tar.next()) is not None:
        yield member
        tar.members.clear()  # type: ignore[attr-defined]  # ours may be a million


def _checked(member: tarfile.TarInfo, path: Path) -> str:
    """The name of a plain file that we would have written; tarfile's own filter looks first."""
    try:
        if hasattr(tarfile, "data_filter"):  # 3.11.4 and later; ours below is stricter anyway
            tarfile.data_filter(member, "/nowhere")
    except tarfile.FilterError as problem:
        raise BackupRefused(f"{path} is not to be trusted: {problem}.") from problem
    name = member.name
    is_ours = name in {SIGNATURE, MANIFEST, SEAL} or KNOWN_NAMES.fullmatch(name)
    is_read_whole = name != DATABASE and not name.startswith("files/")
    if not member.isreg() or not is_ours or (is_read_whole and member.size > LARGEST_IN_MEMORY):
        raise BackupRefused(f"{path} is not to be trusted: it holds {name[:80]!r}.")
    return name


def _measure(pieces: Iterator[bytes], seen: Seen) -> Part:
    digest, size = hashlib.sha256(), 0
    for piece in pieces:
        digest.update(piece)
        size += len(piece)
        seen(len(piece))
    return Part(size=size, sha256=digest.hexdigest())
