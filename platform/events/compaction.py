"""Making the log of what has ended smaller, without ever making it say something else.

A long answer is hundreds of text deltas. Some time after its end they are joined to a few events,
each with the number of the last one it was made of: whoever reads from the beginning, or from the
end, gets the same text; whoever stopped somewhere in between is told that it cannot be replayed.
"""

from datetime import timedelta

from django.db import connection, transaction
from django.db.models.functions import Now

from events.models import Job, Stream
from events.types import DELTA_KINDS
from observability.metrics import swept

AFTER = timedelta(hours=1)  # nobody is still reading live what ended so long ago
BATCH = 100
LONGEST = 65_536  # characters of a joined event: a reader's memory stays small
JOBS_KEPT = timedelta(days=30)

DUE = """
select s.id from events_stream s
where s.state = 'closed' and s.compacted_at is null
  and s.created_at < now() - make_interval(secs => %(after)s)
  and not exists (select from event e where e.stream_id = s.id and e.seq = s.last_seq
                    and e.created_at > now() - make_interval(secs => %(after)s))
order by s.created_at limit %(limit)s for update skip locked
"""
# `part` numbers the neighbours of one kind, and cuts where they get too long together.
COMPACT = """
with marked as (
    select e.stream_id, e.seq, e.kind, e.payload, length(e.payload ->> 'text') as characters,
           (e.kind is distinct from lag(e.kind) over w)::int as is_new
    from event e where e.stream_id = any(%(ids)s)
    window w as (partition by e.stream_id order by e.seq)
), runs as (
    select *, sum(is_new) over (partition by stream_id order by seq) as run from marked
), parts as (
    select *, sum(characters) over (partition by stream_id, run order by seq) / %(longest)s as part
    from runs where kind = any(%(kinds)s)
), ended as (
    select *, max(seq) over (partition by stream_id, run, part) as last_seq from parts
), kept as (
    update event e set payload = jsonb_build_object('text', j.text)
    from (select stream_id, last_seq, string_agg(payload ->> 'text', '' order by seq) as text
          from ended group by stream_id, last_seq having count(*) > 1) as j
    where e.stream_id = j.stream_id and e.seq = j.last_seq
), gone as (
    delete from event e using ended
    where e.stream_id = ended.stream_id and e.seq = ended.seq and ended.seq < ended.last_seq
    returning 1
), done as (
    update events_stream set compacted_at = now() where id = any(%(ids)s)
)
select count(*) from gone
"""


def compact_closed_streams() -> int:
    """Join the deltas of streams that ended a while ago; how many events that saved."""
    saved = 0
    while (found := _compact_some()) is not None:
        saved += found
    swept.labels("events_joined").inc(saved)
    return saved


@transaction.atomic
def _compact_some() -> int | None:
    """None when nothing is due; what another sweeper is at is left to it."""
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"after": AFTER.total_seconds(), "limit": BATCH})
        ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            return None
        cursor.execute(COMPACT, {"ids": ids, "kinds": list(DELTA_KINDS), "longest": LONGEST})
        (saved,) = cursor.fetchone()
        return int(saved)


def remove_old_jobs() -> int:
    """Remove jobs that ended long ago, with their events; how many."""
    removed = 0
    due = Job.objects.filter(finished_at__lt=Now() - JOBS_KEPT).order_by("finished_at")
    while found := list(due.values_list("pk", flat=True)[:BATCH]):
        Stream.objects.filter(pk__in=found).delete()
        removed += len(found)
    swept.labels("jobs_removed").inc(removed)
    return removed
