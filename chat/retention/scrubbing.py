"""Words of deleted documents that turns have stored: taken out of their events and steps.

Nobody is shown them from the moment of the deletion (`visibility`); here they leave the disk too.
Answers stay as they were written, and citations went with the document.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction

from agents.running.keeping import forget_documents
from chat.models import Message, Turn
from chat.visibility import documents_in, without_hidden
from events import log
from events.types import Payload
from knowledge import deletions
from observability.metrics import swept

BATCH = 200
# Clocks of transactions: one that began so long before a deletion may still add words of it.
MARGIN = timedelta(minutes=5)

FIND = """
select e.stream_id, e.seq, e.kind, e.payload::text from event e
join events_stream s on s.id = e.stream_id and s.state = 'closed'
where e.kind in ('citation_added', 'retrieval_completed', 'attachments_read', 'query_searched',
                 'tool_completed')
  and jsonb_path_query_array(e.payload, '$.**.document_id') ?| %s
order by e.stream_id, e.seq limit %s for update of e
"""
STORE = """
update event e set payload = fresh.payload
from unnest(%s::uuid[], %s::int[], %s::jsonb[]) as fresh (stream_id, seq, payload)
where e.stream_id = fresh.stream_id and e.seq = fresh.seq
"""
# What was retrieved for a turn that still runs is written when it ends: until then they are kept.
HORIZON = """
select least(now(), min(created_at)) - make_interval(secs => %s) from events_stream
where kind = 'turn' and state <> 'closed'
"""


def scrub_deleted_documents() -> int:
    """Take away files and stored words of deleted documents; how many are forgotten for good."""
    horizon = _horizon()
    forgotten = scrubbed = 0
    for document_ids in deletions.deleted_documents():
        gone = {str(pk) for pk in document_ids}
        deletions.remove_files(document_ids)
        forget_documents(document_ids)
        while found := _scrub_some(gone):
            scrubbed += found
        forgotten += deletions.forget(document_ids, horizon)
    swept.labels("events_scrubbed").inc(scrubbed)
    swept.labels("deleted_documents_forgotten").inc(forgotten)
    return forgotten


def _horizon() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute(HORIZON, [MARGIN.total_seconds()])
        (horizon,) = cursor.fetchone()
        found: datetime = horizon
        return found


@transaction.atomic
def _scrub_some(gone: set[str]) -> int:
    """Events and the steps made of them change together; how many events did."""
    with connection.cursor() as cursor:
        cursor.execute(FIND, [sorted(gone), BATCH])
        rows = [(*row[:3], log.decode(row[3])) for row in cursor.fetchall()]
        if rows:
            payloads = [log.encode(_without(kind, payload, gone)) for *_, kind, payload in rows]
            cursor.execute(STORE, [[r[0] for r in rows], [r[1] for r in rows], payloads])
            _scrub_steps([row[0] for row in rows], gone)
    return len(rows)


def _scrub_steps(turn_ids: Sequence[UUID], gone: set[str]) -> None:
    answers = Turn.objects.filter(pk__in=turn_ids).values("answer_id")
    changed = []
    for message in Message.objects.filter(pk__in=answers).only("steps"):
        message.steps = [
            {**step, "data": _without(step["kind"], step["data"], gone)} for step in message.steps
        ]
        changed.append(message)
    Message.objects.bulk_update(changed, ["steps"])


def _without(kind: str, payload: Payload, gone: set[str]) -> Payload:
    """An event keeps its number: of a citation nothing is left but that."""
    return without_hidden(kind, payload, documents_in(kind, payload) - gone) or {}
