"""Who follows, and whether they still may: sessions and tokens end, rights are taken back."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest

from accounts.callers import caller
from accounts.models import ApiToken, User
from chat.models import Turn
from chat.selectors import find_job
from observability.postgres.prepared import prepared
from observability.rows import columns_of, find_one


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in browser, or a program with a token, as it was when it began to follow."""

    user_id: UUID
    session_key: str = ""
    password: str = ""  # the hash: another one means that the password was changed
    token_id: UUID | None = None

    @property
    def as_values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("user_id", "password", "session_key")}


def visitor_of(request: HttpRequest) -> Visitor:
    """Who calls an authenticated operation of the API."""
    user, token = caller(request), getattr(request, "auth", None)
    if isinstance(token, ApiToken):
        return Visitor(user.pk, token_id=token.pk)
    return Visitor(user.pk, request.session.session_key or "", user.password)


# Of the user `u`, for statements with the fields of a Visitor as values.
SIGNED_IN = """
    u.id = %(user_id)s and u.is_active and u.password = %(password)s and exists (
        select from django_session where session_key = %(session_key)s and expire_date > now())
"""


def find_user(visitor: Visitor) -> User | None:
    """The person, unless signed out, disabled, or with another password since."""
    return find_one(
        User,
        f"select {columns_of(User, 'u')} from accounts_user u where {SIGNED_IN}",  # noqa: S608
        visitor.as_values,
    )


def may_follow(user: User, stream_id: UUID) -> bool:
    """Whether the stream is a turn or a job that the person may see."""
    if Turn.objects.visible_to(user).filter(pk=stream_id).exists():
        return True
    try:
        find_job(user, stream_id)
    except Http404:
        return False
    return True


# The places, from 1, of those who are.
STILL_SIGNED_IN = """
    select v.n from unnest(
        %(users)s::uuid[], %(sessions)s::text[], %(passwords)s::text[], %(tokens)s::uuid[]
    ) with ordinality as v(user_id, session_key, password, token_id, n)
    join accounts_user u on u.id = v.user_id and u.is_active
    where case when v.token_id is null then u.password = v.password and exists (
        select from django_session s where s.session_key = v.session_key and s.expire_date > now()
    ) else exists (
        select from accounts_apitoken t where t.id = v.token_id and t.revoked_at is null
          and (t.expires_at is null or t.expires_at > now())
    ) end
"""

# Pairs of which the one does not own the other: a guest's, or what is gone.
NOT_OWNED = """
    select f.user_id, f.stream_id
    from unnest(%(users)s::uuid[], %(streams)s::uuid[]) as f(user_id, stream_id)
    where not exists (
        select from chat_turn t join chat_conversation c on c.id = t.conversation_id
        where t.id = f.stream_id and c.owner_id = f.user_id and c.deleted_at is null
    ) and not exists (
        select from events_job j
        where j.id = f.stream_id and j.owner_id = f.user_id and j.subject_id is null
    )
"""


def find_signed_out(visitors: Iterable[Visitor]) -> set[Visitor]:
    """Those of the visitors who are not signed in any more; one query for all."""
    asked = list(set(visitors))
    with prepared() as cursor:
        cursor.execute(
            STILL_SIGNED_IN,
            {
                "users": [visitor.user_id for visitor in asked],
                "sessions": [visitor.session_key for visitor in asked],
                "passwords": [visitor.password for visitor in asked],
                "tokens": [visitor.token_id for visitor in asked],
            },
        )
        return set(asked).difference(asked[place - 1] for (place,) in cursor.fetchall())


def find_forbidden(following: Collection[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Those (user, stream) pairs that are not allowed any more.

    One query for everything people follow of their own, one or two more for each guest.
    """
    with prepared() as cursor:
        cursor.execute(
            NOT_OWNED,
            {
                "users": [user for user, _stream in following],
                "streams": [stream for _user, stream in following],
            },
        )
        doubtful = set(cursor.fetchall())
    users = User.objects.in_bulk({user for user, _stream in doubtful})
    return {
        (pk, stream)
        for pk, stream in doubtful
        if pk not in users or not may_follow(users[pk], stream)
    }
