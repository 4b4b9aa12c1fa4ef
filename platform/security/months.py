"""Tables in monthly partitions, by the time inside their UUIDv7 keys.

`id` alone says in which month a row was made, so foreign keys stay simple and a month that is to be
forgotten is dropped whole. The default partition catches what no month takes.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db import OperationalError, connection, transaction
from psycopg.errors import LockNotAvailable

from security.ids import first_id_at

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MonthlyTable:
    """`lock` is of the advisory lock that keeps two processes from making the same month."""

    name: str
    lock: int

    def ensure_ahead(self, months: int = 3) -> list[str]:
        """Make the partitions of this month and the next `months`; the names of those that are new.

        A new month needs the table for itself. Where a long reader (a backup) has it, everybody
        would queue up behind us: we give up after two seconds and come again; months are left.
        """
        try:
            with _alone(self.lock):
                return [*self._make_from(datetime.now(UTC), months + 1)]
        except OperationalError as problem:
            self._raise_unless_in_use(problem)
            return []

    def drop_before(self, moment: datetime) -> list[str]:
        """Drop the months that were over by then, and such rows of the default partition; the names
        of what went. Where somebody reads the table nothing is, until we come again."""
        end = f"{self.name}_{moment.year}_{moment.month:02}"
        try:
            with _alone(self.lock), connection.cursor() as cursor:
                over = [name for name in self.list_partitions() if name < end]
                for name in over:
                    cursor.execute(f"drop table {name}")
                bound = first_id(moment.year, moment.month)
                cursor.execute(f"delete from {self.name}_default where id < %s", [bound])  # noqa: S608
                return over
        except OperationalError as problem:
            self._raise_unless_in_use(problem)
            return []

    def is_there(self) -> bool:
        """Whether the table exists, in partitions; it does not while its migration is undone."""
        with connection.cursor() as cursor:
            cursor.execute(
                "select to_regclass(%s) in (select oid from pg_class where relkind = 'p')",
                [self.name],
            )
            return bool(cursor.fetchone()[0])

    def list_partitions(self) -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute(
                """
                select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
                where i.inhparent = %s::regclass order by c.relname
                """,
                [self.name],
            )
            return [row[0] for row in cursor.fetchall()]

    def make(self, year: int, month: int) -> str | None:
        """The new partition's name; None where the default one holds rows of its range: they stay
        there. Postgres cannot move them while other rows refer to them; they are found all the
        same."""
        name = f"{self.name}_{year}_{month:02}"
        low, high = first_id(year, month), first_id(*next_month(year, month))
        with connection.cursor() as cursor:
            cursor.execute(
                f"select exists (select from {self.name}_default where id >= %s and id < %s)",  # noqa: S608
                [low, high],
            )
            if cursor.fetchone()[0]:
                log.warning("%s_default holds the rows of %s", self.name, name)
                return None
            cursor.execute(
                f"create table {name} partition of {self.name} for values from (%s) to (%s)",
                [str(low), str(high)],
            )
        return name

    def _make_from(self, start: datetime, count: int) -> Iterator[str]:
        existing = set(self.list_partitions())
        at = start.year, start.month
        for _ in range(count):
            if f"{self.name}_{at[0]}_{at[1]:02}" not in existing and (name := self.make(*at)):
                yield name
            at = next_month(*at)

    def _raise_unless_in_use(self, problem: OperationalError) -> None:
        if not isinstance(problem.__cause__, LockNotAvailable):
            raise problem
        log.info("%s is in use; its months are seen to later", self.name)


@contextmanager
def _alone(lock: int) -> Iterator[None]:
    """A transaction that one process at a time is in, and that waits two seconds for a table."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [lock])
        cursor.execute("set local lock_timeout = '2s'")
        yield
        cursor.execute("set local lock_timeout to default")


def first_id(year: int, month: int) -> UUID:
    """The smallest UUIDv7 of the month."""
    return first_id_at(datetime(year, month, 1, tzinfo=UTC))


def next_month(year: int, month: int) -> tuple[int, int]:
    return (year + 1, 1) if month == 12 else (year, month + 1)
