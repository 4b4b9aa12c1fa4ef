from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from chat.warming.frequent import list_frequent
from chat.warming.jobs import WARM
from events import jobs


class Command(BaseCommand):
    help = (
        "Ask frequent questions in advance, of agents that give answers again: a job asks each as "
        "the person who asked it last, on their account. Run it at night, or after documents "
        "changed; what is there already is not asked for again."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=30, help="how far back to look (30)")
        parser.add_argument("--least", type=int, default=3, help="asked so often or more (3)")
        parser.add_argument("--most", type=int, default=100, help="so many questions (100)")
        parser.add_argument("--dry-run", action="store_true", help="only list them")

    def handle(self, *, days: int, least: int, most: int, dry_run: bool, **_: Any) -> None:
        found = list(list_frequent(days, least, most))
        for one in found if dry_run else ():
            self.stdout.write(f"{one.times} × {one.agent.name}: {one.question}")
        if found and not dry_run:
            job = jobs.enqueue(WARM, {"days": days, "least": least, "most": most}, max_attempts=1)
            self.stdout.write(f"Job {job.pk} asks {len(found)} questions.")
        elif not found:
            self.stdout.write("No question was asked so often.")
