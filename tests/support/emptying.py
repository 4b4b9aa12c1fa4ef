"""After a test with transactions of its own, only the tables in which something is are emptied.

Truncating all of them writes hundreds of new files, which takes longer than most of these tests.
Tables that Django does not manage are emptied too: what they tell would be told to the next test.
"""

from typing import Any

from django.apps import apps
from django.db.backends.postgresql.operations import DatabaseOperations

# What `truncate … cascade` would empty; whether it has an index that keeps what is deleted.
REACHED = """
with recursive reached as (
    select oid from pg_class
    where relname = any(%s) and relnamespace = current_schema()::regnamespace
  union
    select conrelid from pg_constraint join reached on confrelid = reached.oid where contype = 'f'
)
select reached.oid::regclass::text, exists (
    select from pg_index join pg_class index on index.oid = indexrelid
        join pg_am on pg_am.oid = index.relam
    where indrelid = reached.oid and amname = 'hnsw'
)
from reached join pg_class on pg_class.oid = reached.oid
where not relispartition
"""


def use() -> None:
    """Let `flush` work like this."""
    DatabaseOperations.sql_flush = _sql_flush  # type: ignore[method-assign]


def _sql_flush(
    self: Any, _style: Any, tables: list[str], *, reset_sequences: bool = False,
    allow_cascade: bool = False,
) -> list[str]:  # fmt: skip
    assert allow_cascade
    assert not reset_sequences
    with self.connection.cursor() as cursor:
        own = [model._meta.db_table for model in apps.get_models() if not model._meta.managed]
        cursor.execute(REACHED, [[*tables, *own]])
        keeps = dict(cursor.fetchall())
        one_each = (f"(select '{name}' from {name} limit 1)" for name in keeps)
        cursor.execute(" union all ".join(one_each))
        filled = [name for (name,) in cursor.fetchall()]
    if not filled:
        return []
    return [
        "set local session_replication_role = replica",  # neither foreign keys nor triggers
        *(f"truncate {name} cascade" if keeps[name] else f"delete from {name}" for name in filled),
    ]
