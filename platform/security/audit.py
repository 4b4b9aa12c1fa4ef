"""The audit log: `record` writes who did what, in the transaction of what they did.

So there is no act without its entry and no entry without its act. Secrets never go in; neither do
people's words: conversations and documents are told by their ids, for an entry cannot be taken back
when they are deleted.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from django.db import connection, models, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from security.acts import Act
from security.models import AuditEntry

TRIMMED_AFTER_DAYS = 90  # the database lets nothing younger go
LONGEST = 200
UNNAMED = frozenset({"conversation", "document"})  # kinds whose titles are people's words

_request: ContextVar[HttpRequest | None] = ContextVar("audited_request", default=None)
_person: ContextVar[models.Model | None] = ContextVar("audited_person", default=None)


class AuditMiddleware:
    """Lets `record` know who is acting, and from where, without being told by every service."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with acting(request):
            return self.get_response(request)


@contextmanager
def acting(request: HttpRequest) -> Iterator[None]:
    """What is recorded in here was done by whoever sent `request`."""
    before = _request.set(request)
    try:
        yield
    finally:
        _request.reset(before)


@contextmanager
def acting_for(person: models.Model) -> Iterator[None]:
    """What is recorded in here, where nobody sends a request, was done by order of `person`."""
    before = _person.set(person)
    try:
        yield
    finally:
        _person.reset(before)


def record(
    act: Act,
    thing: models.Model | None = None,
    *,
    by: models.Model | None = None,
    title: str | None = None,
    **detail: str | int | bool | list[str],
) -> None:
    """Add an entry about `thing`, acted on by `by`, or else by whoever sent the present request.

    Call it in the transaction of the act. Outside a request, as in `manage.py`, nobody is named.
    """
    request = _request.get()
    actor = by or _user_of(request) or _person.get()
    kind = thing._meta.model_name or "" if thing else ""
    if title is None:
        title = "" if kind in UNNAMED else str(thing or "")
    AuditEntry.objects.create(
        act=act,
        actor_id=actor.pk if actor else None,
        actor_email=getattr(actor, "email", "").lower(),
        kind=kind,
        object_id=str(thing.pk)[:64] if thing else "",
        title=_cut(title),
        address=_address_of(request),
        token_id=_token_of(request),
        detail={name: _cut(value) if isinstance(value, str) else value
                for name, value in detail.items()},
    )  # fmt: skip


@transaction.atomic
def trim(days: int) -> int:
    """Remove entries older than `days`, at least 90, and record that; how many there were."""
    days = max(days, TRIMMED_AFTER_DAYS)
    with connection.cursor() as cursor:
        cursor.execute("set local parley.audit_trim = 'on'")
        cursor.execute(
            "delete from audit_entry where at < now() - make_interval(days => %s)", [days]
        )
        count: int = cursor.rowcount
        cursor.execute("set local parley.audit_trim = ''")
    if count:
        record(Act.AUDIT_TRIMMED, older_than_days=days, entries=count)
    return count


def _cut(text: str) -> str:
    return " ".join(text.replace("\0", "").split())[:LONGEST]


def _user_of(request: HttpRequest | None) -> Any:
    user = getattr(request, "user", None)
    return user if user is not None and user.pk else None


def _token_of(request: HttpRequest | None) -> UUID | None:
    """The id of the API token that authenticated the request, if one did."""
    credential = getattr(request, "auth", None)
    is_token = isinstance(credential, models.Model) and hasattr(credential, "digest")
    return credential.pk if is_token and credential is not None else None


def _address_of(request: HttpRequest | None) -> str | None:
    """As the server saw it: behind a proxy that is the one the proxy names."""
    return parse_address(request.META.get("REMOTE_ADDR", "") if request is not None else "")


def parse_address(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None
