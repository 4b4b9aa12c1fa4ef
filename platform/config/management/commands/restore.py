import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from config.operations.console import clearly
from config.operations.restoring import examine, restore
from config.operations.wording import number
from embedded.backup.manifest import Manifest
from embedded.backup.server import postgres_at_hand
from embedded.console import BOLD, DIM, paint, say, say_warning
from security import audit
from security.acts import Act
from security.secrets import held_key_ids


class Command(BaseCommand):
    help = (
        "Restore a backup: the whole archive is verified before anything is touched, and what is "
        "there stays as it is until the restored database is complete and checked. Parley must be "
        "stopped. A backup of an older version is brought to this one."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="what `backup` has written")
        parser.add_argument(
            "--replace", action="store_true",
            help="also when there is data already: it is lost, and the backup takes its place",
        )  # fmt: skip
        parser.add_argument(
            "--check", action="store_true", help="only verify the archive; restore nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["file"].expanduser().absolute()
        started = time.perf_counter()
        say(f"\n  {paint('Restore', BOLD)} {paint(str(settings.PARLEY_HOME.path), DIM)}\n")
        with clearly():
            if options["check"]:
                examine(path)
                say("\n  The archive is whole, and this version can restore it.\n")
                return
            with postgres_at_hand(settings.PARLEY_HOME, settings.DATABASE_URL, alone=True):
                manifest = examine(path)
                restore(path, manifest, replace=options["replace"])
                audit.record(Act.BACKUP_RESTORED, title=path.name, of=manifest.created_at)
        took = paint(f"{time.perf_counter() - started:.1f} s", DIM)
        say(f"\n  {paint(f'Restored as of {manifest.created_at}', BOLD)}  {took}\n")
        report_keys(manifest)
        if manifest.lost_files:
            say_warning(
                f"{number(len(manifest.lost_files), 'file')} had been lost before the backup."
            )
        say("  Start Parley with `make up`.\n")


def report_keys(manifest: Manifest) -> None:
    """Say which secrets stay closed, and which file opens them."""
    missing = {
        key_id: count
        for key_id, count in manifest.secret_keys.items()
        if key_id not in held_key_ids()
    }
    if not missing:
        return
    say_warning(
        f"{number(sum(missing.values()), 'stored API key')} cannot be opened: the key that sealed "
        f"them ({', '.join(sorted(missing))}) is not here."
    )
    here = settings.PARLEY_HOME.keys / "secrets.key"
    say(f"    Copy keys/secrets.key of the old Parley to {here}")
    say("    (or put its content into PARLEY_SECRET_KEYS), or enter the API keys again.\n")
