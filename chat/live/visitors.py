"""Who follows, and whether they still may: sessions and tokens end, rights are taken back."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.sessions.models import Session
from django.db.models import Q
from django.http import Http404, HttpRequest
from django.utils import timezone

from accounts.callers import caller
from accounts.models import ApiToken, User
from chat.models import Turn
from chat.selectors import find_job
from events.models import Job
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


def find_signed_out(visitors: Iterable[Visitor]) -> set[Visitor]:
    """Those of the visitors who are not signed in any more; three queries for all."""
    visitors = set(visitors)
    sessions = _live_sessions({visitor.session_key for visitor in visitors} - {""})
    tokens = _live_tokens({visitor.token_id for visitor in visitors if visitor.token_id})
    people = User.objects.filter(pk__in={visitor.user_id for visitor in visitors}, is_active=True)
    passwords = dict(people.values_list("pk", "password"))

    def is_in(visitor: Visitor) -> bool:
        if visitor.user_id not in passwords:
            return False
        if visitor.token_id is not None:
            return visitor.token_id in tokens
        has_session = visitor.session_key in sessions
        return has_session and passwords[visitor.user_id] == visitor.password

    return {visitor for visitor in visitors if not is_in(visitor)}


def _live_sessions(keys: set[str]) -> set[str]:
    live = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return set(live.values_list("session_key", flat=True))


def _live_tokens(token_ids: set[UUID]) -> set[UUID]:
    lasting = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    live = ApiToken.objects.filter(lasting, pk__in=token_ids, revoked_at=None)
    return set(live.values_list("pk", flat=True))


def find_forbidden(following: Collection[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Those (user, stream) pairs that are not allowed any more.

    Two queries for everything people follow of their own, one or two more for each guest.
    """
    streams = {stream for _user, stream in following}
    owners = dict(
        Turn.objects.filter(pk__in=streams, conversation__deleted_at=None).values_list(
            "pk", "conversation__owner_id"
        )
    ) | dict(Job.objects.filter(pk__in=streams, subject_id=None).values_list("pk", "owner_id"))
    doubtful = {pair for pair in following if owners.get(pair[1]) != pair[0]}
    users = User.objects.in_bulk({user for user, _stream in doubtful})
    return {
        (pk, stream)
        for pk, stream in doubtful
        if pk not in users or not may_follow(users[pk], stream)
    }
