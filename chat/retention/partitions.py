"""Monthly partitions of the message table, by the time inside the UUIDv7 keys.

`id` alone says in which month a message was made, so foreign keys stay simple and a month that is
to be forgotten is dropped whole. The default partition catches what no month takes.
"""

import logging
from datetime import UTC, datetime
from uuid import UUID

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from security.ids import first_id_at

log = logging.getLogger(__name__)

TABLE = "chat_message"
LOCK = 7_402_001  # of the advisory lock that keeps two processes from making the same month


def ensure_ahead(months: int = 3) -> list[str]:
    """Make the partitions of this month and the next `months`; the names of those that were new.

    A new month needs the table for itself. Where a long reader (a backup) has it, everybody would
    queue up behind us: we give up after two seconds and come again in an hour; months are left.
    """
    try:
        return _ensure_ahead(months)
    except OperationalError as problem:
        if not isinstance(problem.__cause__, LockNotAvailable):
            raise
        log.info("%s is in use; its next month is made later", TABLE)
        return []


def _ensure_ahead(months: int) -> list[str]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        cursor.execute("set local lock_timeout = '2s'")
        existing = set(list_partitions())
        made = []
        for year, month in _months_from(datetime.now(UTC), months + 1):
            name = f"{TABLE}_{year}_{month:02}"
            bounds = first_id(year, month), first_id(*_next(year, month))
            if name not in existing and _make(name, *bounds):
                made.append(name)
        cursor.execute("set local lock_timeout to default")
    return made


def is_there() -> bool:
    """Whether the table exists; it does not while its migration is undone."""
    with connection.cursor() as cursor:
        cursor.execute("select to_regclass(%s) is not null", [TABLE])
        return bool(cursor.fetchone()[0])


def list_partitions() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = %s::regclass order by c.relname
            """,
            [TABLE],
        )
        return [row[0] for row in cursor.fetchall()]


def first_id(year: int, month: int) -> UUID:
    """The smallest UUIDv7 of the month."""
    return first_id_at(datetime(year, month, 1, tzinfo=UTC))


def _make(name: str, low: UUID, high: UUID) -> bool:
    """Make a partition, unless the default one holds rows of its range: they stay there.

    Postgres cannot move them while other rows refer to them, and they are found all the same.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"select exists (select from {TABLE}_default where id >= %s and id < %s)",  # noqa: S608
            [low, high],
        )
        if cursor.fetchone()[0]:
            log.warning("%s_default holds the messages of %s", TABLE, name)
            return False
        cursor.execute(
            f"create table {name} partition of {TABLE} for values from (%s) to (%s)",
            [str(low), str(high)],
        )
    return True


def _months_from(start: datetime, count: int) -> list[tuple[int, int]]:
    months = [(start.year, start.month)]
    while len(months) < count:
        months.append(_next(*months[-1]))
    return months


def _next(year: int, month: int) -> tuple[int, int]:
    return (year + 1, 1) if month == 12 else (year, month + 1)
