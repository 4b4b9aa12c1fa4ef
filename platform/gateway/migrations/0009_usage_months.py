"""Usage in a partition for each month, by the time in its keys: a month is forgotten by dropping it.

The rows move over, and back when this is undone. The table is locked while they do.
"""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import migrations

from security.months import first_id, next_month

TABLE, BEFORE = "gateway_usage", "gateway_usage_before"
VERSION_7 = "substr(id::text, 15, 1) = '7'"


def into_months(apps: Any, editor: Any) -> None:
    plain = editor.sql_create_table
    editor.sql_create_table = plain + " PARTITION BY RANGE (id)"
    try:
        _make_anew(apps, editor)
    finally:
        editor.sql_create_table = plain
    editor.execute(f"create table {TABLE}_default partition of {TABLE} default")
    for year, month in _months(editor):
        low, high = first_id(year, month), first_id(*next_month(year, month))
        editor.execute(
            f"create table {TABLE}_{year}_{month:02} partition of {TABLE} "
            f"for values from ('{low}') to ('{high}')"
        )
    _move(apps, editor)


def into_one(apps: Any, editor: Any) -> None:
    _make_anew(apps, editor)
    _move(apps, editor)


def _make_anew(apps: Any, editor: Any) -> None:
    """An empty table beside the old one, whose indexes give their names away."""
    editor.execute(f"alter table {TABLE} rename to {BEFORE}")
    with editor.connection.cursor() as cursor:
        cursor.execute(
            "select indexrelid::regclass::text from pg_index where indrelid = %s::regclass",
            [BEFORE],
        )
        for number, (name,) in enumerate(cursor.fetchall()):
            cursor.execute(f"alter index {name} rename to {BEFORE}_{number}")
    editor.create_model(apps.get_model("gateway", "Usage"))


def _months(editor: Any) -> list[tuple[int, int]]:
    """From that of the first row to this one."""
    with editor.connection.cursor() as cursor:
        cursor.execute(f"select id from {BEFORE} where {VERSION_7} order by id limit 1")
        first = cursor.fetchone()
    now = datetime.now(UTC)
    begun = datetime.fromtimestamp((first[0].int >> 80) / 1000, UTC) if first else now
    months = [(begun.year, begun.month)]
    while months[-1] < (now.year, now.month):
        months.append(next_month(*months[-1]))
    return months


def _move(apps: Any, editor: Any) -> None:
    fields = apps.get_model("gateway", "Usage")._meta.concrete_fields
    names = ", ".join(field.column for field in fields)
    editor.execute(f"insert into {TABLE} ({names}) select {names} from {BEFORE}")
    editor.execute(f"drop table {BEFORE}")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("gateway", "0008_usage")]

    operations: ClassVar = [migrations.RunPython(into_months, into_one)]
