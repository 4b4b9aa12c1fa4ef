"""Restoring: beside what is there, checked there, then put in its place in one transaction.

The order makes it safe to be killed anywhere. Files are added under their ids, where they disturb
nobody; then the databases change names. Before that the old state stands untouched, afterwards the
new one is complete; what only the other one needs is swept later.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import UUID

import psycopg
from django.conf import settings

from config.operations import credentials
from config.operations.backing_up import is_embedded
from config.operations.wording import number, size
from embedded import redis
from embedded.backup import databases
from embedded.backup.archive import DATABASE, make_durable, read_parts, verify
from embedded.backup.errors import BackupError, BackupRefused
from embedded.backup.manifest import Manifest
from embedded.backup.snapshot import measure_database
from embedded.backup.tools import find_tools
from embedded.console import step
from embedded.home import REPOSITORY
from knowledge import storage
from observability.readiness import migrations_on_disk

MEGABYTE = 2**20
HEADROOM = 1.2  # indexes are built anew, and the log of that is written too


def examine(path: Path) -> Manifest:
    """Read all of an archive and see whether this Parley can use it. Touches nothing."""
    with step("Archive") as current:
        done = 0

        def seen(count: int) -> None:
            nonlocal done
            done += count
            current.show(size(done))

        manifest = verify(path, seen)
        current.detail = (
            f"whole, of {manifest.created_at}: {number(manifest.rows, 'row')}, "
            f"{number(manifest.count_of('files/'), 'file')}"
        )
    unknown = set(manifest.migrations) - known_migrations()
    if unknown:
        raise BackupRefused(
            f"This backup was made by a newer Parley: {min(unknown)} is unknown here. "
            "Update Parley, then restore."
        )
    return manifest


def known_migrations() -> set[str]:
    return {f"{app}.{name}" for app, name in migrations_on_disk()}


def restore(path: Path, manifest: Manifest, *, replace: bool) -> None:
    """Make this Parley what `path` holds. Raises `BackupError`; then nothing has changed.

    Needs a running Postgres, and nobody else at work.
    """
    url = settings.DATABASE_URL
    _refuse_company(url)
    if not replace and not databases.is_empty(url):
        raise BackupError(
            "There is data here already. `--replace` puts the backup in its place: "
            "what is here now is lost then, so make a backup of it first."
        )
    _check_space(manifest)
    with databases.scratch_database(url) as scratch:
        load(path, manifest, scratch)
        if known_migrations() - set(manifest.migrations):
            migrate(scratch)
        credentials.settle(scratch, url)
        with _placed_files(path, manifest):
            databases.swap(url, scratch)
    place_keys(path)
    _forget_doorbells()


def load(path: Path, manifest: Manifest, scratch: str) -> None:
    """Fill an empty database from the archive and compare every table with the manifest."""
    with step("Database") as current:
        server = _server_major(scratch)
        if server < manifest.postgres:
            raise BackupRefused(
                f"The backup comes from Postgres {manifest.postgres}; this server is {server}. "
                f"Restore on Postgres {manifest.postgres} or later."
            )
        tools = find_tools(server, at_least=manifest.pg_dump, is_embedded=is_embedded())
        with tools.restoring(scratch) as sink:
            for name, pieces in read_parts(path):
                if name == DATABASE:
                    _pour(pieces, sink)
                    break
        current.detail = size(manifest.size_of(DATABASE))
    with step("Rows") as current:
        found = measure_database(scratch)
        wrong = [name for name, table in manifest.tables.items() if found.get(name) != table]
        if wrong:
            raise BackupRefused(f"After restoring, the rows of {wrong[0]} are not those backed up.")
        current.detail = f"{number(manifest.rows, 'row')}, all as they were backed up"


def migrate(url: str) -> None:
    """Bring the database at `url` to this version, in a process of its own."""
    with step("Migrations") as current:
        done = subprocess.run(
            [sys.executable, str(REPOSITORY / "manage.py"), "migrate", "--no-input", "--no-color"],
            env=os.environ | {"DATABASE_URL": url}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            words = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()
            raise BackupError(f"A migration failed: {words[-1]}")
        count = done.stdout.count("Applying ")
        current.detail = number(count, "migration") if count else "up to date"


@contextmanager
def _placed_files(path: Path, manifest: Manifest) -> Iterator[None]:
    """Every file of the archive in its place; those that were added go again if the block fails."""
    added: list[Path] = []
    try:
        with step("Files") as current:
            for name, pieces in read_parts(path):
                kind, _, identity = name.partition("/")
                if kind == "files" and _place(pieces, UUID(identity)):
                    added.append(storage.path_of(UUID(identity)))
                    current.show(number(len(added), "file"))
            current.detail = (
                f"{number(manifest.count_of('files/'), 'file')}, {size(manifest.size_of('files/'))}"
            )
            for folder in {target.parent for target in added}:
                make_durable(folder)
        yield
    except BaseException:
        for target in added:
            target.unlink(missing_ok=True)
        raise


def _place(pieces: Iterator[bytes], document_id: UUID) -> bool:
    """Write a file under its id, durable when this returns; False where it is already there."""
    target = storage.path_of(document_id)
    partial = target.with_suffix(".part")
    target.parent.mkdir(parents=True, exist_ok=True)
    is_new = not target.exists()
    try:
        with partial.open("wb") as file:
            _pour(pieces, file)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(target)
    except OSError as problem:
        partial.unlink(missing_ok=True)
        raise BackupError(
            f"{target} cannot be written: {problem.strerror}. Nothing was changed."
        ) from problem
    return is_new


def place_keys(path: Path) -> list[str]:
    """Put the archive's keys in place; another key that stood there is kept under another name."""
    placed = []
    folder = Path(settings.PARLEY_HOME.keys)
    for name, pieces in read_parts(path):
        if not name.startswith("keys/"):
            continue
        target, word = folder / name.partition("/")[2], b"".join(pieces)
        if target.exists() and target.read_bytes() != word:
            target.rename(target.with_name(f"{target.name}.before-{int(time.time())}"))
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(word)
        placed.append(target.name)
    return placed


def _forget_doorbells() -> None:
    """Redis remembers things of the old state only; an embedded one starts empty."""
    home = settings.PARLEY_HOME
    if home.redis_url() == settings.REDIS_URL and not redis.answers(home):
        shutil.rmtree(home.redis, ignore_errors=True)


def _refuse_company(url: str) -> None:
    if sessions := databases.count_sessions(url):
        raise BackupError(
            f"{number(sessions, 'connection')} to this database: Parley, or somebody else, is at "
            "work. Stop web, runner, worker and clock first."
        )


def _check_space(manifest: Manifest) -> None:
    """The embedded database lies on our disk, beside the files: both must fit once more."""
    needed = manifest.size_of("files/")
    if is_embedded():
        needed += int(manifest.database_bytes * HEADROOM)
    free = settings.PARLEY_HOME.free_megabytes() * MEGABYTE
    if free < needed:
        raise BackupError(
            f"Restoring needs {size(needed)} at {settings.PARLEY_HOME.path}; {size(free)} are free."
        )


def _server_major(url: str) -> int:
    with psycopg.connect(url, connect_timeout=5) as connection:
        return connection.info.server_version // 10000


def _pour(pieces: Iterator[bytes], sink: IO[bytes]) -> None:
    for piece in pieces:
        sink.write(piece)
