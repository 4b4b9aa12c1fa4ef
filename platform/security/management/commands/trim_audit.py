from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from security.audit import TRIMMED_AFTER_DAYS, trim


class Command(BaseCommand):
    help = (
        "Remove old entries of the audit log, for good. That it was done is an entry itself. "
        f"The database lets nothing younger than {TRIMMED_AFTER_DAYS} days go."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than", type=int, required=True, metavar="DAYS",
            help=f"keep what is not older than this, {TRIMMED_AFTER_DAYS} days at least",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{trim(options['older_than'])} entries removed.")
