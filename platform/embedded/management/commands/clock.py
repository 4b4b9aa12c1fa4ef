from typing import Any

from django.core.management.base import BaseCommand

from embedded import clock


class Command(BaseCommand):
    help = (
        "Run what is due by time: sweepers, partitions, roll-ups (settings.CLOCK). Start as many "
        "as you like: one works, the others wait until it is gone."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        clock.run()
