"""What calls add up to, by the hour and by the day: kept up by the clock, right however often it
runs.

Whatever hour has rows that were not seen yet is added up anew from its rows, and its day from its
hours: nothing is counted twice or left out, and a row that comes late is found. New rows are known
by the number of the transaction that wrote them; transactions that are open when we look have
numbers at or above the oldest of those, where the next look begins.
"""

from datetime import UTC, date, datetime, timedelta

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from security.ids import first_id_at

LOCK = 7_402_003  # of the advisory lock: two that add up at once would both insert
# Ids are as old as the beginning of a call, rows as its end; clocks differ a little.
LONGEST_CALL = timedelta(days=1)

BY = ("account_id", "agent_id", "token_id", "team_ids", "model_name", "endpoint_name", "purpose",
    "currency")  # fmt: skip
SUMS = (
    "calls", "failed", "uncosted", "uncounted", "answered", "timed", "prompt_tokens",
    "cached_tokens", "cache_write_tokens", "completion_tokens", "reasoning_tokens",
    "accepted_prediction_tokens", "rejected_prediction_tokens", "estimated_tokens",
    "compared_tokens", "first_token_ms", "total_ms", "cost",
)  # fmt: skip
FAILED = "outcome <> 'completed' and outcome <> 'cancelled'"
_COUNTED = {
    "calls": "count(*)",
    "failed": f"count(*) filter (where {FAILED})",
    "uncosted": "count(*) - count(cost)",
    "uncounted": "count(*) - count(prompt_tokens)",
    "answered": "count(first_token_ms)",
    "timed": "count(total_ms)",
    "estimated_tokens": "sum(estimated_prompt_tokens) filter (where prompt_tokens is not null)",
    "compared_tokens": "sum(prompt_tokens) filter (where estimated_prompt_tokens is not null)",
}
_KEYS, _NAMES = ", ".join(BY), ", ".join(SUMS)
_INTO_HOURS = f"""
insert into gateway_usagehour (at, {_KEYS}, {_NAMES})
select date_trunc('hour', created_at, 'UTC') as at, {_KEYS},
       {", ".join(f"coalesce({_COUNTED.get(name, f'sum({name})')}, 0)" for name in SUMS)}
from gateway_usage
where created_at >= %s and created_at < %s and id >= %s and id < %s
group by 1, {_KEYS}
"""  # noqa: S608 - our names
_INTO_DAY = f"""
insert into gateway_usageday (at, {_KEYS}, {_NAMES})
select %s, {_KEYS}, {", ".join(f"sum({name})" for name in SUMS)}
from gateway_usagehour where at >= %s and at < %s
group by {_KEYS}
"""  # noqa: S608 - our names


def roll_up() -> int:
    """Add up what is new; how many hours there were. Each day is a transaction of its own, so that
    one that was interrupted goes on where it stopped. Memory does not depend on the rows."""
    _note_changes()
    done = 0
    while (day := _first_changed_day()) is not None:
        done += _add_up(day)
    return done


@transaction.atomic
def _note_changes() -> None:
    """Note the hours of the rows that were written since the last look."""
    with connection.cursor() as cursor:
        _lock(cursor)
        cursor.execute(
            "insert into gateway_usagemark (id, transaction) values (1, 0) on conflict do nothing"
        )
        # The oldest open transaction is asked for before we look: what it writes is found again.
        cursor.execute("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        open_from = cursor.fetchone()[0]
        cursor.execute("select transaction from gateway_usagemark")
        seen = cursor.fetchone()[0]
        if seen > open_from:
            seen = (
                0  # the rows were restored on another server, which counts from its own beginning
            )
        cursor.execute(
            """
            insert into gateway_usagechange (at)
            select distinct date_trunc('hour', created_at, 'UTC') from gateway_usage
            where transaction >= %s
            on conflict do nothing
            """,
            [seen],
        )
        cursor.execute("update gateway_usagemark set transaction = %s", [open_from])


def _first_changed_day() -> date | None:
    with connection.cursor() as cursor:
        cursor.execute("select (min(at) at time zone 'UTC')::date from gateway_usagechange")
        found: date | None = cursor.fetchone()[0]
        return found


@transaction.atomic
def _add_up(day: date) -> int:
    """The changed hours of the day, with those between, and the day."""
    begin, end = (_midnight(day + timedelta(days=n)) for n in (0, 1))
    with connection.cursor() as cursor:
        _lock(cursor)
        # A day has far fewer groups than rows: a table of them in memory beats sorting the rows.
        cursor.execute("set local enable_sort = off; set local work_mem = '64MB'")
        cursor.execute(
            "delete from gateway_usagechange where at >= %s and at < %s returning at", [begin, end]
        )
        hours = [hour for (hour,) in cursor.fetchall()]
        span = min(hours), max(hours) + timedelta(hours=1)  # what is between does no harm
        ids = first_id_at(span[0] - LONGEST_CALL), first_id_at(span[1] + LONGEST_CALL)
        cursor.execute("delete from gateway_usagehour where at >= %s and at < %s", span)
        cursor.execute(_INTO_HOURS, [*span, *ids])
        cursor.execute("delete from gateway_usageday where at = %s", [day])
        cursor.execute(_INTO_DAY, [day, begin, end])
        cursor.execute("set local enable_sort to default; set local work_mem to default")
    return len(hours)


def _lock(cursor: CursorWrapper) -> None:
    cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
