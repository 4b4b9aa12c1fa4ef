"""Rows that point at something by its id alone, and were left behind when it went another way.

Services take them along; this is for what was deleted past them, by hand or by a crash in between.
"""

from django.db import connection

from observability.metrics import swept

BATCH = 500
GRANTS = {
    "collection": "knowledge_collection",
    "document": "knowledge_document",
    "agent": "agents_agent",
    "conversation": "chat_conversation",
}
STREAMS = """
with orphans as (
    select s.id from events_stream s
    where s.kind = 'turn' and s.created_at < now() - interval '1 hour'
      and not exists (select from chat_turn t where t.id = s.id)
    limit %s for update skip locked
), told as (
    delete from event using orphans where event.stream_id = orphans.id
)
delete from events_stream using orphans where events_stream.id = orphans.id
"""
GRANT = """
delete from accounts_grant where id in (
    select g.id from accounts_grant g
    where g.kind = %s and not exists (select from {table} thing where thing.id = g.object_id)
    limit %s for update skip locked)
"""


def remove_orphaned_rows() -> int:
    """Remove streams without a turn and grants on nothing; how many."""
    streams = _repeat(STREAMS, [BATCH])
    grants = sum(
        _repeat(GRANT.format(table=table), [kind, BATCH]) for kind, table in GRANTS.items()
    )
    swept.labels("streams_removed").inc(streams)
    swept.labels("grants_removed").inc(grants)
    return streams + grants


def _repeat(statement: str, parameters: list[str | int]) -> int:
    """Each batch commits on its own, so that none holds many locks."""
    removed = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            found: int = cursor.rowcount
        removed += found
        if found < BATCH:
            return removed
