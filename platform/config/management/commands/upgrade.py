import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config import preparation
from config.doctor import FAIL, Finding
from config.management.commands.doctor import MARKS
from config.operations.backing_up import back_up, default_path
from config.operations.console import FAILED, clearly
from config.operations.rehearsing import Rehearsal, rehearsed, smoke_test_passes
from config.operations.smoke import smoke_test
from embedded.backup.server import postgres_at_hand
from embedded.console import BOLD, DIM, paint, say, say_done, say_problem, say_warning
from observability.db import connect_directly
from observability.readiness import unapplied_migrations

LONGEST_LOCK = 1.0  # seconds that people can be kept waiting
TOO_LONG = 2
SHOWN_LOCK = 0.05


class Command(BaseCommand):
    help = (
        "Bring the database to this version: a backup first, then the migrations, then a look at "
        "whether everything reads. `--rehearse` does it on a copy and says how long each migration "
        "takes and which tables it locks; the real database is only read."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--rehearse", nargs="?", type=Path, const=Path(), metavar="BACKUP",
            help="try it on a copy of the database, or of this backup. Exit status 1: it would "
            f"fail; 2: a lock on a table is held for more than {LONGEST_LOCK:g} s",
        )  # fmt: skip
        parser.add_argument(
            "--backup", type=Path, metavar="FILE",
            help="where the backup goes (default: backups/parley-<UTC time>.tar in PARLEY_HOME)",
        )  # fmt: skip
        parser.add_argument(
            "--smoke-test", action="store_true", help="only look whether this version reads"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["smoke_test"]:
            raise SystemExit(0 if _say_findings() else FAILED)
        title = "Upgrade" if options["rehearse"] is None else "Upgrade, rehearsed"
        say(f"\n  {paint(title, BOLD)} {paint(str(settings.PARLEY_HOME.path), DIM)}\n")
        with clearly(), postgres_at_hand(settings.PARLEY_HOME, settings.DATABASE_URL):
            if options["rehearse"] is None:
                upgrade((options["backup"] or default_path()).expanduser().absolute())
            else:
                backup = options["rehearse"]
                raise SystemExit(rehearse(backup if backup != Path() else None))


def upgrade(backup: Path) -> None:
    """Nothing at all when no migration is missing."""
    with connect_directly(connect_timeout=5) as connection:
        missing = len(unapplied_migrations(connection))
    if not missing:
        say_done("Database", "up to date: nothing to upgrade")
        return
    back_up(backup)
    way_back = (
        f"To go back: stop Parley, check out the version before, then\n"
        f"    manage.py restore {backup} --replace"
    )
    try:
        preparation.upgrade_database()
    except Exception as problem:
        words = str(problem).strip().splitlines() or [type(problem).__name__]
        say_problem(f"A migration failed: {words[0]}")
        say(f"\n  {way_back}\n")
        raise SystemExit(FAILED) from problem
    is_fine = _say_findings()
    say(f"\n  {way_back}\n")
    if not is_fine:
        raise SystemExit(FAILED)


def rehearse(backup: Path | None) -> int:
    """The exit status; the report is printed."""
    started = time.perf_counter()
    with rehearsed(backup) as (report, scratch):
        _say_report(report)
        is_fine = smoke_test_passes(scratch)
    took = paint(f"{time.perf_counter() - started:.1f} s", DIM)
    worst = max((held.seconds for held in report.locks), default=0.0)
    if not is_fine:
        say_problem("The migrated copy does not work. Stay on the version that runs now.")
        return FAILED
    if worst > LONGEST_LOCK:
        say_problem(f"People would wait {worst:.1f} s for a table: upgrade when nobody is there.")
        return TOO_LONG
    say(f"\n  {paint('The upgrade would work.', BOLD)} Now: manage.py upgrade  {took}\n")
    return 0


def _say_report(report: Rehearsal) -> None:
    if not report.migrations:
        say_done("Migrations", "none is missing")
    for name, seconds in report.migrations.items():
        say_done("Migration", f"{name}  {seconds:.2f} s")
    for held in report.locks:
        if held.seconds >= SHOWN_LOCK:
            line = f"{held.table}: {held.keeps_out} wait up to {held.seconds:.2f} s"
            (say_warning if held.seconds > LONGEST_LOCK else _say_lock)(line)
    if report.migrations and not any(held.seconds >= SHOWN_LOCK for held in report.locks):
        say_done("Locks", f"none on an existing table for longer than {SHOWN_LOCK * 1000:.0f} ms")


def _say_lock(line: str) -> None:
    say_done("Lock", line)


def _say_findings() -> bool:
    findings: list[Finding] = []
    try:
        for finding in smoke_test():
            findings.append(finding)
            mark, colour = MARKS[finding.status]
            say(f"  {paint(mark, colour)} {finding.name:<18} {finding.message}")
    except Exception as problem:  # a version that cannot read may break in any way
        raise CommandError(f"{type(problem).__name__}: {problem}") from problem
    return all(finding.status != FAIL for finding in findings)
