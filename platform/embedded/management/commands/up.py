from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from embedded import up


class Command(BaseCommand):
    """Listed by `help`; manage.py itself starts `up` without Django, to keep it small."""

    help = up.DESCRIPTION
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        up.add_arguments(parser)

    def handle(self, *args: Any, host: str, port: str, **options: Any) -> None:
        raise SystemExit(up.up(host, port))
