from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from gateway.metering.price_lists import Change, NoPriceList, compare, read_list, take_over
from gateway.models import Deployment


class Command(BaseCommand):
    help = (
        "Take over prices from a file: LiteLLM's model_prices_and_context_window.json, or CSV with "
        "the columns model, prompt, completion (and endpoint, cached, cache_write, request, "
        "currency), for a million tokens. Shows what would change; --yes changes it."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--yes", action="store_true", help="take the prices over")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            entries = read_list(options["file"].read_bytes())
        except (OSError, NoPriceList) as error:
            raise CommandError(str(error)) from error
        found = compare(entries, Deployment.objects.select_related("model", "endpoint"))
        for change in found.changes:
            self.stdout.write(f"{change.deployment}: {_told(change)}")
        for deployment in found.unclear:
            self.stdout.write(f"{deployment}: the list has several prices for it")
        for deployment in found.unknown:
            self.stdout.write(f"{deployment}: not in the list")
        self.stdout.write(f"{len(found.same)} already have these prices.")
        if options["yes"]:
            self.stdout.write(f"{take_over(found.changes)} changed.")
        elif found.changes:
            self.stdout.write(f"{len(found.changes)} would change; --yes changes them.")


def _told(change: Change) -> str:
    before, after = (" ".join(prices) for prices in change.told)
    return f"{before} -> {after}"
