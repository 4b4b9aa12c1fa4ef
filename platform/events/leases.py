"""Who works on a stream: leases by database time, fences that rise with every claim."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from events.models import Stream
from events.types import Claim
from observability.postgres.prepared import prepared

LEASE_SECONDS = 30.0
HOLDER_LENGTH = 64  # of the column; a host's name may be as long by itself


def open_stream(stream_id: UUID, kind: str) -> Stream:
    """A queued stream, in the caller's transaction."""
    return Stream.objects.create(id=stream_id, kind=kind)


def claim(
    kind: str,
    holder: str,
    limit: int,
    lease: float = LEASE_SECONDS,
    held: Collection[UUID] = (),
) -> list[Claim]:
    """Take up to `limit` due streams of `kind`, the oldest first; never one that another takes.

    Due is what waits, and what is held by somebody whose lease ran out. `held` is what the caller
    works on: a machine that slept longer than a lease renews those and must not race itself.
    """
    return _claim(kind, None, holder, limit, lease, held=held)


def claim_one(stream_id: UUID, holder: str, lease: float = LEASE_SECONDS) -> Claim | None:
    """Take this stream if it is due; None when it is held, closed or gone."""
    return next(iter(_claim(None, stream_id, holder, 1, lease)), None)


def _claim(
    kind: str | None,
    stream_id: UUID | None,
    holder: str,
    limit: int,
    lease: float,
    *,
    held: Collection[UUID] = (),
) -> list[Claim]:
    statement = f"with {CLAIMING} select * from claimed"  # noqa: S608 - nothing of a user's
    values = claiming(kind, holder, limit, lease, stream_id=stream_id, held=held)
    with prepared() as cursor:
        cursor.execute(statement, values)
        return [Claim(*row) for row in cursor.fetchall()]


# For statements that read about what they claim: `claimed` has the fields of a Claim.
CLAIMING = """
    due as (
        select id from events_stream
        where (%(kind)s::text is null or kind = %(kind)s)
          and (%(id)s::uuid is null or id = %(id)s)
          and id <> all(%(held)s::uuid[])
          and not (state = 'closed')
          and (state = 'queued' or (state = 'running' and lease_until < now()))
        order by created_at
        limit %(limit)s
        for update skip locked
    ), claimed as (
        update events_stream s
        set state = 'running', fence = s.fence + 1, holder = %(holder)s,
            attempts = s.attempts + 1, lease_until = now() + make_interval(secs => %(lease)s)
        from due where s.id = due.id
        returning s.id, s.fence, s.attempts, s.last_seq
    )
"""


def claiming(
    kind: str | None,
    holder: str,
    limit: int,
    lease: float,
    *,
    stream_id: UUID | None = None,
    held: Collection[UUID] = (),
) -> dict[str, Any]:
    """The values of CLAIMING."""
    return {
        "kind": kind,
        "id": stream_id,
        "holder": holder[:HOLDER_LENGTH],
        "limit": limit,
        "lease": lease,
        "held": f"{{{','.join(map(str, held))}}}",  # at once what psycopg would write one by one
    }


def renew(held: Sequence[tuple[UUID, int]], lease: float = LEASE_SECONDS) -> set[UUID]:
    """Prolong many leases in one statement; the ids of those still held under their fence."""
    with prepared() as cursor:
        cursor.execute(
            """
            with held as (
                select s.id from events_stream s
                join unnest(%(ids)s::uuid[], %(fences)s::int[]) as h(id, fence)
                     on h.id = s.id and h.fence = s.fence
                where s.state = 'running'
                order by s.id
                for no key update of s
            )
            update events_stream s set lease_until = now() + make_interval(secs => %(lease)s)
            from held where s.id = held.id
            returning s.id
            """,
            {
                "ids": [stream_id for stream_id, _ in held],
                "fences": [fence for _, fence in held],
                "lease": lease,
            },
        )
        return {row[0] for row in cursor.fetchall()}


def release(stream_id: UUID, fence: int, *, count_attempt: bool = True) -> bool:
    """Give the stream back to whoever claims it next; False when it was not ours any more."""
    with prepared() as cursor:
        cursor.execute(
            """
            update events_stream
            set state = 'queued', holder = '', lease_until = null,
                attempts = attempts - case when %s::bool then 0 else 1 end
            where id = %s and fence = %s and state = 'running'
            """,
            [count_attempt, stream_id, fence],
        )
        return bool(cursor.rowcount)


# For statements that park what `holder`s leave to a person: `parked` has its id and state.
PARKING = """
    parked as (
        update events_stream
        set state = case when is_woken then 'queued' else 'waiting' end, is_woken = false,
            holder = '', lease_until = null, attempts = 0
        where id = %(id)s and fence = %(fence)s and state = 'running'
        returning id, state
    )
"""


def wake(stream_id: UUID) -> bool:
    """Let a stream that waits go on, or not begin to wait; False when it is closed or gone.

    Its due time is now; whoever calls rings the runners (`events.waking`).
    """
    with prepared() as cursor:
        cursor.execute(
            """
            update events_stream
            set is_woken = (state = 'running'),
                state = case when state = 'waiting' then 'queued' else state end
            where id = %s and state in ('waiting', 'running', 'queued')
            """,
            [stream_id],
        )
        return bool(cursor.rowcount)


def delete(stream_ids: Collection[UUID]) -> None:
    """Remove streams with their events; whoever holds one finds its lease lost.

    In a transaction: before the rows of what the streams tell about, as those who write them do.
    """
    with transaction.atomic():
        locked = Stream.objects.select_for_update().filter(id__in=list(stream_ids)).order_by("id")
        Stream.objects.filter(id__in=list(locked.values_list("id", flat=True))).delete()
