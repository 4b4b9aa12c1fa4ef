"""The job card of a collection in the terminal, and orders about its indexing."""

from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from knowledge.control import Order, describe, give
from knowledge.job_card import JobCard, find_card
from knowledge.management.commands import ingest
from knowledge.models import Collection, Document


class Command(BaseCommand):
    help = (
        "Shows how the indexing of a collection goes: what waits, is in work, done and failed, how "
        "fast, and what went wrong. With an order it pauses it, lets it go on, stops it, puts it "
        "first, or indexes again what is out of date (refresh) or everything (rebuild)."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("collection", metavar="NAME", help="its name, or its id")
        parser.add_argument("order", nargs="?", choices=[one.value for one in Order])
        parser.add_argument(
            "--watch", action="store_true", help="stay with a bar until nothing waits any more"
        )

    def handle(
        self, *_args: Any, collection: str, order: str | None, watch: bool = False, **_options: Any
    ) -> None:
        found = _find(collection)
        if order:
            given = Order(order)
            self.stdout.write(describe(given, give(found, given)))
            found.refresh_from_db()
        if watch:
            _stay(found)
        for line in _lines(find_card(found)):
            self.stdout.write(line)


def _find(name: str) -> Collection:
    shown = Collection.objects.filter(is_shelf=False)
    rows = list(shown.filter(name=name)[:2]) or [row for row in shown if str(row.pk) == name]
    if not rows:
        raise CommandError(f"There is no collection “{name}”.")
    if len(rows) > 1:
        raise CommandError(f"There are several collections “{name}”: give the id of one.")
    found: Collection = rows[0]
    return found


def _stay(collection: Collection) -> None:
    """Until nothing is left but what is paused."""
    documents = Document.objects.filter(collection=collection)
    with suppress(KeyboardInterrupt):
        ingest.watch(Console(stderr=True), documents)


def _lines(card: JobCard) -> list[str]:
    lines = [
        f"waiting {card.waiting:>8,}",
        f"running {card.running:>8,}",
        f"done    {card.done:>8,}",
        f"failed  {card.failed:>8,}",
    ]
    if card.paused or card.is_paused:
        whole = "  (the whole collection is paused)" if card.is_paused else ""
        lines.append(f"paused  {card.paused:>8,}{whole}")
    if card.is_active:
        pace = f"{card.lately:,} documents, {card.passages_lately:,} passages in the last minute"
        left = card.seconds_left
        lines.append(pace if left is None else f"{pace}; about {left} seconds left")
    return [*lines, *(f"! {problem.title}: {problem.reason}" for problem in card.problems)]
