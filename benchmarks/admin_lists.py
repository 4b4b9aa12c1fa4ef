"""Lists over a full house: `python -m benchmarks.admin_lists [ROWS]`.

The tables that grow with use are filled in the database itself with that many rows each. Then an
administrator opens every list: its first page, its last, a search by each key and by words, each
choice of each filter and each order; and a curator the pages of a collection with all of it. Times
are those of the whole request, the slowest of its kind named; above the budget the command ends
with 1. What it is doing stands in stderr, and with `--plans` the plans of the slowest statements.
"""

import argparse
import json
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.full_house import TABLES, fill, rows_of
from benchmarks.home import django_on_a_throwaway_home

BUDGET_MS = 1000  # the slowest request of all
ROUNDS = 3
NOTHING = "no such words"
NEEDED = ("accounts.User", "knowledge.Source", "knowledge.GoldenQuestion", "knowledge.QualityRun")


@dataclass
class Timed:
    """The requests of one list, in milliseconds, by what they are."""

    model: str
    rows: int
    kinds: dict[str, tuple[float, str]] = field(default_factory=dict)

    def note(self, kind: str, ms: float, address: str) -> None:
        self.kinds[kind] = max(self.kinds.get(kind, (0.0, "")), (ms, address))

    @property
    def worst(self) -> tuple[float, str]:
        return max(self.kinds.values())


def measure(rows: int, only: Sequence[str] = (), *, explains: bool = False) -> list[Timed]:
    from django.core.management import call_command
    from django.test import Client

    from accounts.models import User

    call_command("collectstatic", interactive=False, verbosity=0)
    fill(rows, only and {*NEEDED, *only})
    root, curator = Client(SERVER_NAME="localhost"), Client(SERVER_NAME="localhost")
    root.force_login(User.objects.create_superuser("bench@example.org", "unused pass phrase"))
    curator.force_login(User.objects.get(email="p0@example.org"))
    root.get("/admin/")
    found = []
    for name, client, addresses in (*_lists(root), *_pages(curator)):
        if only and name not in only:
            continue
        timed = Timed(name, rows_of(name, rows))
        for kind, address in addresses:
            ms = _milliseconds(client, address)
            timed.note(kind, ms, address)
            if explains and ms > BUDGET_MS / 2:
                _explain(client, address)
        print(name, timed.kinds, file=sys.stderr, flush=True)
        found.append(timed)
    return found


def _lists(client: Any) -> Iterator[tuple[str, Any, Iterator[tuple[str, str]]]]:
    """Of the administration: whatever is there of the tables that were filled."""
    from django.apps import apps
    from django.contrib import admin

    for label in TABLES:
        if (model := apps.get_model(label)) in admin.site._registry:
            yield label, client, _addresses(client, model)


def _addresses(client: Any, model: Any) -> Iterator[tuple[str, str]]:
    """What an administrator may ask of a list, by kind."""
    from django.urls import reverse

    meta = model._meta
    place = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    page = client.get(place).context_data["cl"]
    yield "first page", place
    yield "last page", f"{place}?p={page.paginator.num_pages}"
    if not page.result_list:
        raise SystemExit(f"{place} shows nothing: fill what its rows belong to, too.")
    row = page.result_list[0]
    for name in ["pk", *getattr(page.model_admin, "exact_fields", ())]:
        value = getattr(row, name, None)
        yield "search", f"{place}?q={getattr(value, 'pk', value)}"
    if page.search_fields:
        yield "search", f"{place}?q={NOTHING}"
        yield "search", f"{place}?q=p0@example.org"
        yield "search", f"{place}?q=p1@example.org"
    for spec in page.filter_specs:
        for choice in spec.choices(page):
            yield "filter", place + choice["query_string"]
    for number, name in enumerate(page.list_display):
        if name in page.sortable_by and page.get_ordering_field(name):
            yield "order", f"{place}?o=-{number}"


def _pages(client: Any) -> Iterator[tuple[str, Any, Iterator[tuple[str, str]]]]:
    """Of a collection with all of it, for who looks after it."""
    from django.urls import reverse

    from knowledge.models import Collection, QualityRun, Source

    home = Collection.objects.get(name="Home")
    visits = Source.objects.order_by("pk").first()
    run = QualityRun.objects.order_by("pk").first()

    def named(name: str, *args: Any) -> str:
        return reverse(f"knowledge:{name}", args=args or [home.pk])

    def narrowed(sort: str, place: str, **choices: Sequence[str]) -> Iterator[tuple[str, str]]:
        for name, values in choices.items():
            yield from ((sort, f"{place}?{name}={value}") for value in values)

    lists = ("failed", "stale", "duplicates", "uncited", "excluded")
    orders = ("oldest", "updated", "title", "size")
    documents = [
        ("first page", named("collection")),
        ("search", f"{named('documents')}?q={NOTHING}"),
        ("search", f"{named('documents')}?q=paper+1"),
        *narrowed(
            "filter", named("documents"), list=lists, status=("failed", "active"),
            kind=("text/plain",), source=(str(visits.pk),), age=("7", "-365"),
        ),
        *narrowed("order", named("documents"), order=orders),
    ]  # fmt: skip
    golden = named("golden")
    pages: dict[str, list[tuple[str, str]]] = {
        "knowledge.Document": documents,
        "knowledge.Collection": [("first page", reverse("knowledge:home"))],
        "knowledge.Source": [("first page", named("sources"))],
        "knowledge.SourceItem": [("first page", named("source", visits.pk))],
        "knowledge.DocumentEnrichment": [("first page", named("enrichment"))],
        "knowledge.GoldenQuestion": [("first page", golden), ("search", f"{golden}?q={NOTHING}"),
            ("filter", f"{golden}?state=proposed")],
        "knowledge.QualityRun": [("first page", named("quality"))],
        "knowledge.QualityResult": [("first page", named("quality_run", home.pk, run.pk))],
        "knowledge.GlossaryEntry": [("first page", named("understanding")),
            ("search", f"{named('understanding')}?q={NOTHING}")],
    }  # fmt: skip
    for name, addresses in pages.items():
        yield name, client, iter(addresses)


def _explain(client: Any, address: str) -> None:
    """The plans of what this request asked, where it took long."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as asked:
        client.get(address)
    slow = [query["sql"] for query in asked if float(query["time"]) > BUDGET_MS / 10_000]
    for sql in slow:
        with connection.cursor() as cursor:
            cursor.execute("explain (analyze, buffers) " + sql)
            plan = "\n".join(line for (line,) in cursor.fetchall())
        print(f"\n{address}\n{sql}\n{plan}\n", file=sys.stderr, flush=True)


def _milliseconds(client: Any, address: str) -> float:
    taken = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        status = client.get(address, follow=False).status_code
        taken.append(1000 * (time.perf_counter() - began))
        if status not in {200, 302}:
            raise SystemExit(f"{address}: {status}")
    return statistics.median(taken)


def show(found: Sequence[Timed]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title="Lists of the administration, then pages of a collection: ms, the slowest")
    kinds = ("first page", "last page", "search", "filter", "order")
    for name in ("list", "rows", *kinds):
        table.add_column(name, justify="left" if name == "list" else "right")
    for timed in found:
        times = (f"{timed.kinds[kind][0]:.0f}" if kind in timed.kinds else "–" for kind in kinds)
        table.add_row(timed.model, f"{timed.rows:,}", *times)
    Console(width=120).print(table)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("rows", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--json", type=Path, help="where to write the figures")
    parser.add_argument("--only", nargs="+", default=[], metavar="TABLE", help="of these alone")
    parser.add_argument("--plans", action="store_true", help="plans of what takes long, to stderr")
    options = parser.parse_args(arguments)
    with django_on_a_throwaway_home():
        found = measure(options.rows, options.only, explains=options.plans)
    show(found)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps([[one.model, one.kinds] for one in found], indent=1))
    slow = [timed.worst for timed in found if timed.worst[0] > BUDGET_MS]
    for ms, address in slow:
        print(f"Over the budget of {BUDGET_MS} ms: {ms:.0f} ms, {address}")
    if slow:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
