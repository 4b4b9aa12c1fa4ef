from typing import Any

from django.core.management.base import BaseCommand

from config.preparation import prepare
from embedded.console import say_problem
from embedded.errors import StartupError


class Command(BaseCommand):
    help = (
        "Get everything ready before the first request: database, migrations, embedding model, "
        "static files, first administrator, samples. `up` runs it; elsewhere: the release step."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            prepare()
        except StartupError as problem:
            say_problem(str(problem))
            raise SystemExit(1) from problem
