"""What may be searched, as SQL: it asks for the rights of the moment, whoever's they are.

Django takes longer to write that query than Postgres to answer it, and for every person it is the
same one: it is written once, for somebody in whose place the person comes.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import EmptyResultSet
from django.db.models import F, QuerySet

from accounts.models import User
from knowledge.models import Collection, known_parts, spaces_of

Allowed = tuple[str, tuple[Any, ...]]  # SQL, and its values

SOMEBODY = UUID(int=0)
NOBODYS = "select null::uuid as id where false"


def allowed_to(user: User | AnonymousUser, within: Sequence[UUID] | None = None) -> Allowed:
    """The ids that passages lie under of what `user` may read, in these collections alone where
    some are named; ids that they may not see add nothing."""
    if not isinstance(user, User) or not user.is_active:
        return NOBODYS, ()
    # Parts are named where there are some: planning takes its time.
    sql, values = readable(has_parts=known_parts.are_there())
    person = tuple(user.pk if value == SOMEBODY else value for value in values)
    if within is None:
        return f"select visible.id from ({sql}) as visible (id, home)", person  # noqa: S608
    named = f"select visible.id from ({sql}) as visible (id, home) where home = any (%s::uuid[])"  # noqa: S608
    return named, (*person, list(within))


def allowed_by(*visible: "QuerySet[Collection]") -> Allowed:
    """The same of other rows than those that a person may see as a whole."""
    statements: list[str] = []
    values: list[Any] = []
    for rows in visible:
        try:
            sql, parameters = rows.order_by().values("pk").query.sql_with_params()
        except EmptyResultSet:
            continue
        statements.append(f"select visible.id from ({sql}) as visible (id)")  # noqa: S608 - Django's SQL
        values.extend(parameters)
    return " union all ".join(statements) or NOBODYS, tuple(values)


@cache
def readable(*, has_parts: bool = True) -> Allowed:
    """The ids of what `SOMEBODY` may read, each with that of its collection."""
    whole, parts = spaces_of(User(pk=SOMEBODY, is_active=True))
    queries = [whole.order_by().annotate(home=F("id")).values_list("id", "home").query]
    if has_parts:
        queries.append(parts.order_by().values_list("id", "part_of").query)
    written = [query.sql_with_params() for query in queries]
    sql = " union all ".join(statement for statement, _values in written)
    return sql, tuple(value for _statement, values in written for value in values)
