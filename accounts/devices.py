"""Where a person is signed in: which browsers, when they were last seen, and signing them out.

A session is Django's row; deleting it ends it with the next request, and `chat.live.guard` closes
its sockets within two seconds.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from threading import Lock
from uuid import UUID

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.http import Http404, HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.timesince import timesince

from accounts.models import Device, User
from observability.metrics import swept
from security import audit
from security.acts import Act
from security.audit import parse_address

SEEN_EVERY_SECONDS = 600
RECENT = timedelta(minutes=15)
REMEMBERED = 10_000  # sessions a process remembers to have noted
BATCH = 500

BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("CrOS", "ChromeOS"),
    ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A device as its person sees it; `browser` and `system` are empty where nobody can tell."""

    device: Device
    browser: str
    system: str
    is_current: bool

    @property
    def is_recent(self) -> bool:
        return timezone.now() - self.device.seen_at < RECENT

    @property
    def ago(self) -> str:
        """How long it is since it was seen, in one unit: it is not known better."""
        return timesince(self.device.seen_at, depth=1)


class _Noted:
    """The sessions that this process noted a short while ago."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._at: OrderedDict[str, float] = OrderedDict()

    def is_due(self, key: str) -> bool:
        now = time.monotonic()
        with self._lock:
            if now - self._at.get(key, -SEEN_EVERY_SECONDS) < SEEN_EVERY_SECONDS:
                return False
            self._at[key] = now
            self._at.move_to_end(key)
            if len(self._at) > REMEMBERED:
                self._at.popitem(last=False)
            return True


_noted = _Noted()


def note(request: HttpRequest) -> None:
    """Remember which browser a signed-in request came from: one write every ten minutes."""
    key = request.session.session_key
    if key is None or not isinstance(request.user, User) or not _noted.is_due(key):
        return
    device = Device(
        user=request.user,
        session_key=key,
        agent=request.headers.get("User-Agent", "").replace("\0", "")[:300],
        address=parse_address(request.META.get("REMOTE_ADDR", "")),
        seen_at=timezone.now(),
    )
    Device.objects.bulk_create(
        [device],
        update_conflicts=True,
        unique_fields=["session_key"],
        update_fields=["user", "agent", "address", "seen_at"],
    )


def list_devices(user: User, current_key: str | None = None) -> list[SignedIn]:
    """Where `user` is signed in now, the current one first, then the one used last."""
    devices = {device.session_key: device for device in user.devices.all()}
    live = Session.objects.filter(session_key__in=devices, expire_date__gt=timezone.now())
    found = [devices[session.session_key] for session in live if _is_of(session, user)]
    found.sort(key=lambda device: (device.session_key == current_key, device.seen_at), reverse=True)
    return [
        SignedIn(
            device,
            _name_in(device.agent, BROWSERS),
            _name_in(device.agent, SYSTEMS),
            is_current=device.session_key == current_key,
        )
        for device in found
    ]


@transaction.atomic
def sign_out(user: User, device_id: UUID) -> None:
    """End one session of theirs, for good. Raises Http404."""
    device = user.devices.filter(pk=device_id).first()
    if device is None:
        raise Http404
    _end([device.session_key])
    audit.record(Act.SESSIONS_CLOSED, user, by=user, sessions=1)


@transaction.atomic
def sign_out_everywhere(user: User, keep: str | None = None) -> int:
    """End every session of `user` but the one with the key `keep`; how many there were."""
    keys = set(user.devices.values_list("session_key", flat=True)) | set(_unnoted(user))
    keys.discard(keep or "")
    count = _end(keys)
    if count:
        audit.record(Act.SESSIONS_CLOSED, user, by=user, sessions=count)
    return count


def sweep() -> int:
    """Remove sessions that are over, and devices without one; how many. The clock calls this."""
    sessions = _repeat(
        "delete from django_session where session_key in (select session_key from django_session "
        "where expire_date < now() limit %s for update skip locked)"
    )
    devices = _repeat(
        "delete from accounts_device where id in (select d.id from accounts_device d where not "
        "exists (select from django_session s where s.session_key = d.session_key) limit %s)"
    )
    swept.labels("sessions_removed").inc(sessions)
    return sessions + devices


def _end(keys: Iterable[str]) -> int:
    keys = list(keys)
    Device.objects.filter(session_key__in=keys).delete()
    count, _rows = Session.objects.filter(session_key__in=keys).delete()
    return count


def _unnoted(user: User) -> Iterable[str]:
    """Keys of their sessions that made no request since they began: these are few, but valid."""
    noted = Device.objects.values("session_key")
    others = Session.objects.filter(expire_date__gt=timezone.now()).exclude(session_key__in=noted)
    for session in others.iterator():
        if session.get_decoded().get(SESSION_KEY) == str(user.pk):
            yield session.session_key


def _is_of(session: Session, user: User) -> bool:
    """Whether it still opens the door: another password has ended it."""
    held = session.get_decoded()
    is_theirs = held.get(SESSION_KEY) == str(user.pk)
    return is_theirs and constant_time_compare(
        held.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()
    )


def _name_in(agent: str, names: tuple[tuple[str, str], ...]) -> str:
    return next((name for part, name in names if part in agent), "")


def _repeat(statement: str) -> int:
    removed = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(statement, [BATCH])
            found: int = cursor.rowcount
        removed += found
        if found < BATCH:
            return removed
