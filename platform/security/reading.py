"""The second lock: what a person reads, Postgres filters once more by row policies.

The first lock is `visible_to` in every query. Where somebody forgets it, or joins past it, the rows
that come back are still the person's own: `reading_as` works under a role that row policies bind
(the owner of the tables and superusers are above them). It guards against mistakes in our queries,
not against injected SQL, which could name another person. See docs/adr/0004.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

ROLE = "parley_reader"

P = ParamSpec("P")
T = TypeVar("T")
Someone = TypeVar("Someone", bound="Person")


class Person(Protocol):
    @property
    def pk(self) -> Any: ...


@contextmanager
def reading_as(person: Person, **local: str) -> Iterator[CursorWrapper]:
    """One transaction in which `person` reads, with `local` settings of Postgres; never writes.

    Role and person are set with the first round trip and end with the transaction, also when it
    breaks: a connection goes back to its pool as it came. Inside another transaction, what was set
    there before is set again. Whatever the block writes is refused, or rolled back at its end.
    """
    wanted = {**local, "parley.user_id": str(person.pk or "")}
    if settings.PARLEY_SECOND_LOCK and is_fitted():
        wanted["role"] = ROLE
    calls = ", ".join(["set_config(%s, %s, true)"] * len(wanted))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"select {calls}", [word for pair in wanted.items() for word in pair])
        yield cursor
        transaction.set_rollback(True)


def second_lock(
    select: Callable[Concatenate[Someone, P], T],
) -> Callable[Concatenate[Someone, P], T]:
    """A selector whose queries run in `reading_as` its first argument; it returns no queryset."""

    @wraps(select)
    def locked(person: Someone, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with reading_as(person):
            return select(person, *args, **kwargs)

    return locked


@cache
def is_fitted() -> bool:
    """Whether this database has the role and lets us take it; asked once in a process."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select coalesce(pg_has_role(current_user, to_regrole(%s)::oid, 'set'), false)", [ROLE]
        )
        return bool(cursor.fetchone()[0])
