"""The lists of the administration over a full house: `python -m benchmarks.admin_lists [ROWS]`.

The tables that grow with use are filled in the database itself with that many rows each. Then an
administrator opens every list: its first page, its last, a search by each key and by words, and
each choice of each filter. Times are those of the whole request, the slowest of its kind named;
above the budget the command ends with 1. What it is doing stands in stderr.
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

from benchmarks.home import django_on_a_throwaway_home

BUDGET_MS = 1000  # the slowest request of all
ROUNDS = 3
PEOPLE = 20_000
OWNED = 100_000  # conversations of one person: the worst their e-mail address can find
NOTHING = "no such words"
# Ids in the order of time, as the product makes them; the same for the same name and number.
FUNCTION = """
create function id_of(name text, n bigint) returns uuid language sql immutable as $$
  select (lpad(to_hex(1700000000000 + n * 1000), 12, '0') || '7' || substr(md5(name || n), 1, 3)
          || '8' || substr(md5(n || name), 1, 15))::uuid
$$"""
BY_TYPE = {
    "uuid": "id_of('{column}', n)", "boolean": "false", "jsonb": "'{{}}'", "ARRAY": "'{{}}'",
    "timestamp with time zone": "now() - ({rows} - n) * interval '10 seconds'",
    "bytea": "''::bytea", "tsvector": "''::tsvector", "inet": "'192.0.2.1'::inet",
}  # fmt: skip
ONE_OF = "(array{values})[1 + n % {count}]"


def one_of(*values: str) -> str:
    return ONE_OF.format(values=list(values), count=len(values))


PERSON = f"id_of('person', n % {PEOPLE} + 1)"
OWNER = f"case when n % 10 = 0 then id_of('person', 1) else {PERSON} end"
FEW_FAIL = "case when n % 997 = 0 then '{0}' else '{1}' end"
# What is not to be made up from the type of a column. Each follows those that it refers to.
TABLES: dict[str, dict[str, str]] = {
    "accounts.User": {"id": PERSON, "is_active": "true",
        "email": f"'p' || n % {PEOPLE} || '@example.org'"},
    "knowledge.Document": {"id": "id_of('document', n)", "collection_id": "id_of('home', 1)",
        "title": "'Paper ' || n", "file_name": "n || '.pdf'", "sha256": "md5(n::text)",
        "status": FEW_FAIL.format("failed", "ready"), "language": one_of("en", "zh")},
    "knowledge.Chunk": {"id": "id_of('chunk', n)", "document_id": "id_of('document', n)",
        "collection_id": "id_of('home', 1)", "text": "'passage ' || n",
        "bm25": "'{1:1}/1000000000'::sparsevec", "script": one_of("latin", "han")},
    "knowledge.Stage": {"document_id": "id_of('document', n)", "name": one_of("read", "split"),
        "status": FEW_FAIL.format("failed", "done")},
    "chat.Conversation": {"id": "id_of('talk', n)", "owner_id": OWNER, "title": "'Talk ' || n"},
    "chat.Message": {"id": "id_of('message', n)", "conversation_id": "id_of('talk', n)",
        "role": one_of("user", "assistant"), "status": FEW_FAIL.format("failed", "complete"),
        "model_name": one_of("", "small"), "text": "'words ' || n"},
    "events.Stream": {"id": "id_of('turn', n)", "kind": one_of("turn", "job"), "state": "'done'"},
    "chat.Turn": {"id": "id_of('turn', n)", "conversation_id": "id_of('talk', n)",
        "question_id": "id_of('message', n)", "answer_id": "id_of('message', n)",
        "requested_by_id": OWNER, "status": FEW_FAIL.format("failed", "completed"),
        "idempotency_key": "n::text"},
    "chat.Citation": {"message_id": "id_of('message', n)", "document_id": "id_of('document', n)"},
    "events.Job": {"id": "id_of('turn', n)", "task": "'knowledge.tasks.index'",
        "status": FEW_FAIL.format("failed", "succeeded"), "owner_id": PERSON},
    "security.AuditEntry": {"act": one_of("sign_in", "grant_given"), "kind": "'document'",
        "actor_email": f"'p' || n % {PEOPLE} || '@example.org'", "object_id": "n::text"},
    "gateway.Usage": {"turn_id": "id_of('turn', n)", "account_id": PERSON,
        "model_name": "'small'", "endpoint_name": "'here'", "attempt": "1",
        "outcome": FEW_FAIL.format("endpoint_timeout", "completed")},
}  # fmt: skip


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


def fill(rows: int) -> None:
    from django.apps import apps
    from django.db import connection

    from gateway.models import Model
    from knowledge.models import Collection

    Model.objects.create(name="small")
    with connection.cursor() as cursor:
        cursor.execute(FUNCTION)
        # Keys are made to fit; the triggers that would check each are for rows that people make.
        cursor.execute("set session_replication_role = replica")
        for label, given in TABLES.items():
            model = apps.get_model(label)
            count = PEOPLE if label == "accounts.User" else rows
            began = time.monotonic()
            cursor.execute(_insert(cursor, model._meta.db_table, given, count))
            cursor.execute(f'analyze "{model._meta.db_table}"')
            print(f"{label}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        cursor.execute("select id_of('home', 1), id_of('person', 1)")
        home, person = cursor.fetchone()
        Collection.objects.create(pk=home, owner_id=person, name="Home")
        cursor.execute("set session_replication_role = default")
        cursor.execute("vacuum")


def _insert(cursor: Any, table: str, given: dict[str, str], rows: int) -> str:
    cursor.execute(
        "select column_name, data_type from information_schema.columns where table_name = %s"
        " and (is_nullable = 'NO' or column_name = any(%s)) and is_generated = 'NEVER'"
        " and (column_default is null or column_name = any(%s)) and is_identity = 'NO'",
        [table, list(given), list(given)],
    )
    values = {}
    for column, kind in cursor.fetchall():
        made = BY_TYPE.get(kind, "''" if "char" in kind or kind == "text" else "0")
        values[column] = given.get(column) or made.format(column=column, rows=rows)
    columns = ", ".join(f'"{name}"' for name in values)
    selected = ", ".join(values.values())
    return f'insert into "{table}" ({columns}) select {selected} from generate_series(1, {rows}) n'


def measure(rows: int) -> list[Timed]:
    from django.apps import apps
    from django.core.management import call_command
    from django.test import Client

    from accounts.models import User

    call_command("collectstatic", interactive=False, verbosity=0)
    fill(rows)
    client = Client(SERVER_NAME="localhost")
    client.force_login(User.objects.create_superuser("bench@example.org", "unused pass phrase"))
    client.get("/admin/")
    found = []
    for label in TABLES:
        model = apps.get_model(label)
        timed = Timed(label, PEOPLE if label == "accounts.User" else rows)
        for kind, address in _addresses(client, model):
            timed.note(kind, _milliseconds(client, address), address)
        print(label, timed.kinds, file=sys.stderr, flush=True)
        found.append(timed)
    return found


def _addresses(client: Any, model: Any) -> Iterator[tuple[str, str]]:
    """What an administrator may ask of a list, by kind."""
    from django.urls import reverse

    meta = model._meta
    place = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    page = client.get(place).context_data["cl"]
    yield "first page", place
    yield "last page", f"{place}?p={page.paginator.num_pages}"
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

    table = Table(title="Lists of the administration, ms of the whole request, the slowest")
    kinds = ("first page", "last page", "search", "filter")
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
    options = parser.parse_args(arguments)
    with django_on_a_throwaway_home():
        found = measure(options.rows)
    show(found)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({timed.model: timed.kinds for timed in found}, indent=1))
    slow = [timed.worst for timed in found if timed.worst[0] > BUDGET_MS]
    for ms, address in slow:
        print(f"Over the budget of {BUDGET_MS} ms: {ms:.0f} ms, {address}")
    if slow:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
