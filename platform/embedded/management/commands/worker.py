from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from embedded import worker


class Command(BaseCommand):
    help = (
        "Run one job after the other from one queue, in this process (start more workers for more "
        "at once). On SIGTERM it finishes or hands back its job and ends within 30 s."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queue", default="default", help="the queue to work on (default)")
        parser.add_argument("--burst", action="store_true", help="end when the queue is empty")
        parser.add_argument(
            "--stall", type=float, default=worker.STALL_SECONDS, metavar="SECONDS",
            help="end the process when a job gives no sign of life for so long",
        )  # fmt: skip

    def handle(self, *args: Any, queue: str, burst: bool, stall: float, **options: Any) -> None:
        worker.work(queue, burst=burst, stall_seconds=stall)
