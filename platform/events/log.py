"""The numbered event log in Postgres: append under a fence, read what a client missed.

Each function is one round trip. Rows of several streams are always locked in the order of their
ids, so the batches of a runner and its lease renewals cannot deadlock.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

import orjson

from events.types import SEQ_RANGE, EventRow, LeaseLost, Payload, fence_of
from observability.postgres import direct
from observability.postgres.prepared import prepared
from security.text import storable_json


class Answer(Enum):
    """What replaying from a position can come to."""

    NOTHING_MISSED = "nothing missed"
    REPLAYED = "replayed"
    AHEAD = "ahead"  # the client heard it live; the log will have it within a batch
    CANNOT_REPLAY = "cannot replay"


@dataclass(frozen=True, slots=True)
class Replay:
    answer: Answer
    rows: list[EventRow]
    is_closed: bool  # closed, and `rows` reach to its end
    is_cut: bool = False  # the log has more


READ_BYTES = 64_000


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of one stream, already numbered by its only writer."""

    stream_id: UUID
    fence: int
    rows: Sequence[EventRow]


def append(
    stream_id: UUID, fence: int, events: Sequence[tuple[str, Payload]], *, close: bool = False
) -> int:
    """Number and store `events`, optionally closing the stream; the seq of the last of them.

    Raises LeaseLost, having written nothing, when `fence` is not the current one.
    """
    statement = f"with {APPENDING} select last_seq from held"  # noqa: S608 - nothing of a user's
    return append_by(statement, appended(stream_id, fence, events, close=close))


APPENDING = """
    held as (
        update events_stream
        set last_seq = greatest(last_seq, (fence - 1) * %(range)s::int) + %(count)s::int,
            state = case when %(close)s::bool then 'closed' else state end,
            lease_until = case when %(close)s::bool then null else lease_until end
        where id = %(id)s and fence = %(fence)s and state = 'running'
        returning id, last_seq
    ), stored as (
        insert into event (stream_id, seq, kind, payload, created_at)
        select held.id, held.last_seq - %(count)s::int + e.n, e.kind, e.payload, now()
        from held, rows from (jsonb_to_recordset(%(events)s::jsonb) as (kind text, payload jsonb))
             with ordinality as e(kind, payload, n)
    )
"""


def append_by(statement: str, values: dict[str, Any]) -> int:
    """Run a statement with APPENDING in it, which writes what it writes `from held` only.

    It returns the seq of the last event. Raises LeaseLost.
    """
    with prepared() as cursor:
        cursor.execute(statement, values)
        return _last_seq(cursor.fetchone(), values)


async def append_by_at_once(statement: str, values: dict[str, Any]) -> int:
    """The same from an event loop; raises psycopg.Error too."""
    rows = await direct.fetch(statement, values)
    return _last_seq(rows[0] if rows else None, values)


def _last_seq(row: tuple[Any, ...] | None, values: dict[str, Any]) -> int:
    if row is None:
        raise LeaseLost(str(values["id"]))
    last_seq: int = row[0]
    return last_seq


def appended(
    stream_id: UUID, fence: int, events: Sequence[tuple[str, Payload]], *, close: bool = False
) -> dict[str, Any]:
    """The values of APPENDING."""
    return {
        "id": stream_id,
        "fence": fence,
        "range": SEQ_RANGE,
        "count": len(events),
        "close": close,
        "events": encode([{"kind": kind, "payload": payload} for kind, payload in events]),
    }


def append_batches(batches: Sequence[Batch]) -> set[UUID]:
    """Store the events of many streams in one statement; the ids of those still held.

    A stream whose fence is outdated writes zero rows and is missing from the answer. Storing the
    same rows again changes nothing, so a batch of unknown fate may be retried. The commit waits for
    the disk: a Postgres that is killed would otherwise forget the last words in mid-stream, and
    whoever comes back, or takes the turn over, would read a text with a hole.
    """
    with prepared() as cursor:
        cursor.execute(_APPEND_BATCHES, _batched(batches))
        return {row[0] for row in cursor.fetchall()}


async def append_batches_at_once(batches: Sequence[Batch]) -> set[UUID]:
    """The same from an event loop; raises psycopg.Error (`observability.postgres.direct`)."""
    return {row[0] for row in await direct.fetch(_APPEND_BATCHES, _batched(batches))}


_APPEND_BATCHES = """
    with batch as (
        select * from unnest(%(ids)s::uuid[], %(fences)s::int[], %(lasts)s::int[])
                      as b(stream_id, fence, last_seq)
    ), held as materialized (
        select s.id, batch.last_seq
        from events_stream s join batch on batch.stream_id = s.id and batch.fence = s.fence
        where s.state = 'running'
        order by s.id
        for no key update of s
    ), moved as (
        update events_stream s set last_seq = greatest(s.last_seq, held.last_seq)
        from held where s.id = held.id
    ), stored as (
        insert into event (stream_id, seq, kind, payload, created_at)
        select held.id, (e.row->>1)::int, e.row->>2, e.row->3, now()
        from jsonb_array_elements(%(rows)s::jsonb) as e(row)
        join held on held.id = (e.row->>0)::uuid
        on conflict do nothing
    )
    select id from held
"""


def _batched(batches: Sequence[Batch]) -> dict[str, Any]:
    rows = [(batch.stream_id, *row[:3]) for batch in batches for row in batch.rows]
    return {
        "ids": [batch.stream_id for batch in batches],
        "fences": [batch.fence for batch in batches],
        "lasts": [batch.rows[-1].seq for batch in batches],
        "rows": encode(rows),  # one value to quote for Postgres, not four for each event
    }


def read(stream_id: UUID, after: int, limit: int = 200) -> Replay:
    """What happened after `after`, and which of the answers that is.

    At most `limit` events, and no more once they have READ_BYTES: they wait in memory for a client.
    """
    with prepared() as cursor:
        cursor.execute(
            """
            select s.state, s.fence, s.last_seq,
                   %(after)s::int = 0 or exists (
                       select from event where stream_id = s.id and seq = %(after)s::int),
                   e.seq, e.kind, e.payload
            from events_stream s left join lateral (
                select seq, kind, payload from (
                    select seq, kind, payload, sum(octet_length(payload::text)) over (
                        order by seq rows between unbounded preceding and 1 preceding) as earlier
                    from (
                        select seq, kind, payload from event
                        where stream_id = s.id and seq > %(after)s::int order by seq limit %(limit)s
                    ) few
                ) counted
                where earlier is null or earlier < %(bytes)s
            ) e on true
            where s.id = %(id)s
            order by e.seq
            """,
            {"id": stream_id, "after": after, "limit": limit, "bytes": READ_BYTES},
        )
        found = cursor.fetchall()
    if not found:
        return Replay(Answer.CANNOT_REPLAY, [], is_closed=False)
    state, fence, last_seq, is_known = found[0][:4]
    if not is_known:
        is_ahead = state == "running" and after > last_seq and fence_of(after) == fence
        return Replay(Answer.AHEAD if is_ahead else Answer.CANNOT_REPLAY, [], is_closed=False)
    rows = [
        EventRow(seq, kind, orjson.loads(payload), state == "closed" and seq == last_seq)
        for *_, seq, kind, payload in found
        if seq is not None
    ]
    reached = rows[-1].seq if rows else after
    return Replay(
        Answer.REPLAYED if rows else Answer.NOTHING_MISSED,
        rows,
        is_closed=state == "closed" and reached >= last_seq,
        is_cut=bool(rows) and reached < last_seq,
    )


def positions(stream_ids: Collection[UUID]) -> dict[UUID, tuple[int, bool]]:
    """Where each stream stands: its last stored seq and whether it is closed; gone ones missing."""
    with prepared() as cursor:
        cursor.execute(
            "select id, last_seq, state = 'closed' from events_stream where id = any(%s)",
            [list(stream_ids)],
        )
        return {row[0]: (row[1], row[2]) for row in cursor.fetchall()}


def read_all(stream_id: UUID) -> list[EventRow]:
    """Every event of the stream, for those who take it over."""
    rows: list[EventRow] = []
    while found := read(stream_id, rows[-1].seq if rows else 0, limit=1000).rows:
        rows += found
    return rows


def decode(payload: str) -> Payload:
    """What `encode` wrote, as raw SQL reads it."""
    found: Payload = orjson.loads(payload)
    return found


def encode(payload: Payload | Sequence[Any]) -> str:
    """JSON that Postgres can store: it has no NUL character."""
    return storable_json(orjson.dumps(payload, default=str).decode())
