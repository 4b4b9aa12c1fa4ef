"""An upgrade tried out on a copy: how long each migration takes, whom it keeps waiting, whether
the product reads its data afterwards. The real database is only read."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from config.operations import restoring
from config.operations.backing_up import is_embedded
from config.operations.wording import size
from embedded.backup import databases
from embedded.backup.errors import BackupError
from embedded.backup.lock_watch import Held, LockWatch
from embedded.backup.snapshot import snapshot
from embedded.backup.tools import find_tools
from embedded.console import step
from embedded.home import REPOSITORY
from knowledge.storage import FILES_LOCK

APPLIED = re.compile(r"Applying (\S+)\.\.\. (?:OK|FAKED)(?: \(([\d.]+)s\))?")


@dataclass(frozen=True)
class Rehearsal:
    """What an upgrade would do: seconds of each migration, and the locks on existing tables."""

    migrations: dict[str, float]
    locks: list[Held]


@contextmanager
def rehearsed(backup: Path | None) -> Iterator[tuple[Rehearsal, str]]:
    """The rehearsal and the address of the migrated copy, which is dropped at the end.

    A copy of the running database, or of `backup`. Raises `BackupError` when a migration fails.
    """
    manifest = restoring.examine(backup) if backup else None
    with databases.scratch_database(settings.DATABASE_URL) as scratch:
        if backup and manifest:
            restoring.load(backup, manifest, scratch)
        else:
            copy_database(scratch)
        with LockWatch(scratch) as watch:
            times = _migrate_timed(scratch)
        yield Rehearsal(times, watch.report()), scratch


def copy_database(scratch: str) -> None:
    """The database as it is now, without a file between: pg_dump straight into pg_restore."""
    with step("Copy") as current, snapshot(settings.DATABASE_URL, FILES_LOCK) as moment:
        if not moment.has_table("django_migrations"):
            raise BackupError("There is no data here yet: nothing to upgrade.")
        tools = find_tools(moment.server_major, is_embedded=is_embedded())
        done = 0
        with tools.restoring(scratch) as sink:
            for piece in tools.dump(settings.DATABASE_URL, moment.name):
                sink.write(piece)
                done += len(piece)
                current.show(size(done))
        current.detail = f"{size(moment.database_bytes())} database"


def _migrate_timed(url: str) -> dict[str, float]:
    """In a process of its own, so that no line of a migration can reach the real database."""
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / "manage.py"), "migrate", "--no-input", "--no-color",
         "--verbosity=2"],
        env=os.environ | {"DATABASE_URL": url}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    times = {name: float(seconds or 0) for name, seconds in APPLIED.findall(done.stdout)}
    if done.returncode:
        words = (done.stderr.strip() or "no output").splitlines()[-1]
        failed = re.findall(r"Applying (\S+)\.\.\.", done.stdout)
        raise BackupError(f"{failed[-1] if failed else 'The migration'} failed: {words}")
    return times


def smoke_test_passes(url: str) -> bool:
    """Run `manage.py upgrade --smoke-test` on another database; it says itself what it finds."""
    command = [sys.executable, str(REPOSITORY / "manage.py"), "upgrade", "--smoke-test"]
    return (
        subprocess.run(command, env=os.environ | {"DATABASE_URL": url}, check=False).returncode == 0
    )
