from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from embedded import worker


class Command(BaseCommand):
    help = (
        "Run one job after the other from one queue, in this process (start more workers for more "
        "at once). On SIGTERM it finishes or hands back its job and ends within 30 s."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queue", default="default", help="the queue to work on (default)")
        parser.add_argument("--burst", action="store_true", help="end when the queue is empty")

    def handle(self, *args: Any, queue: str, burst: bool, **options: Any) -> None:
        worker.work(queue, burst=burst)
