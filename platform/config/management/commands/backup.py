import os
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from config.operations.backing_up import back_up, default_path
from config.operations.console import clearly
from config.operations.wording import number, size
from embedded.backup.manifest import Manifest
from embedded.backup.server import postgres_at_hand
from embedded.console import BOLD, DIM, paint, say, say_warning
from security import audit
from security.acts import Act
from security.models import AuditEntry

INCOMPLETE = 2


class Command(BaseCommand):
    help = (
        "Back up the database and the uploaded files as they are at one moment, into one verified "
        "file. Parley may go on working meanwhile, or be stopped. The keys are not in it: keep "
        "keys/secrets.key apart. Exit status 2: the backup is whole, but files that the database "
        "names were lost or damaged before."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", nargs="?", type=Path, metavar="FILE",
            help="where to write it (default: backups/parley-<UTC time>.tar in PARLEY_HOME)",
        )  # fmt: skip
        parser.add_argument(
            "--with-keys", action="store_true",
            help="put the key files into it, too: whoever has such a backup can read every secret",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        path = (options["file"] or default_path()).expanduser().absolute()
        started = time.perf_counter()
        say(f"\n  {paint('Backup', BOLD)} {paint(str(settings.PARLEY_HOME.path), DIM)}\n")
        with clearly(), postgres_at_hand(settings.PARLEY_HOME, settings.DATABASE_URL):
            manifest = back_up(path, with_keys=options["with_keys"])
            _record(path, with_keys=options["with_keys"])
        took = paint(f"{time.perf_counter() - started:.1f} s", DIM)
        say(f"\n  {paint(str(path), BOLD)}  {size(path.stat().st_size)}  {took}\n")
        conclude(path, manifest, with_keys=options["with_keys"])
        if manifest.lost_files:
            raise SystemExit(INCOMPLETE)


def _record(path: Path, *, with_keys: bool) -> None:
    """A database of an older version has no audit log yet; its backup is as good."""
    if AuditEntry._meta.db_table in connection.introspection.table_names():
        audit.record(Act.BACKUP_MADE, title=path.name, with_keys=with_keys)


def conclude(path: Path, manifest: Manifest, *, with_keys: bool) -> None:
    """What the operator has to know beyond the file: the keys, the disk, the way back."""
    if with_keys:
        say_warning("It holds the keys: whoever can read it can read every stored secret.")
    else:
        say("  The keys are not in it. Keep a copy of these somewhere else:")
        for key in sorted(Path(settings.PARLEY_HOME.keys).glob("*.key")):
            say(f"    {key}")
        if count := sum(manifest.secret_keys.values()):
            lost = number(count, "stored API key")
            say(f"  Without secrets.key, {lost} cannot be opened on another machine.")
    if settings.PARLEY_SECRET_KEYS:
        say("  PARLEY_SECRET_KEYS is never in a backup: keep it as well.")
    if os.stat(path).st_dev == os.stat(settings.PARLEY_HOME.path).st_dev:  # noqa: PTH116
        say("  It lies on the same disk as Parley: copy it to another machine.")
    for document_id in manifest.lost_files[:10]:
        say_warning(f"The file of document {document_id} is missing or damaged on the disk.")
    if len(manifest.lost_files) > 10:
        say_warning(f"… {number(len(manifest.lost_files) - 10, 'more file')} like these.")
    say(f"\n  To restore it: manage.py restore {path}\n")
