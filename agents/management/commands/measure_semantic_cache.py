from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from agents.reuse.measuring import SHIPPED, BadQuestions, measure, read_pairs


class Command(BaseCommand):
    help = (
        "Measure how often similar questions would wrongly share an answer, with the embedding "
        "model in use. Agents reuse answers to similar questions only after this."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--similarity", type=int, default=95, help="in percent, 80 to 100")
        parser.add_argument("--pairs", type=Path, help="CSV with the columns question, other, same")

    def handle(self, *args: Any, similarity: int, pairs: Path | None, **options: Any) -> None:
        if not 80 <= similarity <= 100:
            raise CommandError("The similarity is 80 to 100 percent.")
        path = pairs or SHIPPED
        try:
            found = measure(read_pairs(path.read_text(encoding="utf-8")), similarity, path.name)
        except (OSError, UnicodeDecodeError, BadQuestions) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{found.embedder} at {similarity} %: {found.hits} of {found.pairs} pairs share an "
            f"answer, {found.false_hits} wrongly "
            f"({found.false_share:.1%}; allowed {found.limit:.1%})."
        )
        self.stdout.write("It may be used." if found.is_passed else "It may not be used.")
