"""API tokens: made once, shown once, stored as a hash.

A token reads `par_<prefix>_<secret>`: the prefix (40 bits) is stored so that a person can tell
tokens apart, the secret (160 bits) only as part of the SHA-256 of the whole. A slow hash would add
nothing: there is no guessing 160 random bits.
"""

import re
import secrets
from base64 import b32encode
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.errors import UnknownScope
from accounts.models import ApiToken, User
from accounts.payers import teams_of
from security import audit
from security.acts import Act

SHAPE = re.compile(r"par_([a-z2-7]{8})_([a-z2-7]{32})", re.ASCII)
# `last_used_at` is for people: a busy token must not write a row on every request.
LAST_USED_STEP = timedelta(minutes=1)


class Scope(StrEnum):
    """What a token may be limited to; a token without scopes may do all its user may."""

    READ = "read"
    WRITE = "write"
    CHAT = "chat"
    ADMIN = "admin"


@transaction.atomic
def issue(
    user: User, name: str, scopes: Iterable[str] = (), expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """A new token of `user` and its plain text, which is not kept anywhere."""
    wanted = sorted(set(scopes))
    if unknown := [scope for scope in wanted if scope not in set(Scope)]:
        raise UnknownScope(unknown, list(Scope))
    prefix = _random_text(5)
    plaintext = f"par_{prefix}_{_random_text(20)}"
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=prefix,
        digest=_digest(plaintext),
        scopes=wanted,
        expires_at=expires_at,
    )
    audit.record(Act.TOKEN_MADE, token, of=user.email, scopes=wanted)
    return token, plaintext


def authenticate(plaintext: str) -> ApiToken | None:
    """The valid token with this plain text, its active user loaded; None for anything else.

    Its `team_ids` are the user's, for whoever pays.
    """
    if SHAPE.fullmatch(plaintext) is None:
        return None
    now = timezone.now()
    token = (
        ApiToken.objects.select_related("user")
        .filter(Q(expires_at=None) | Q(expires_at__gt=now))
        .filter(digest=_digest(plaintext), revoked_at=None, user__is_active=True)
        .annotate(team_ids=teams_of("user_id"))
        .first()
    )
    if token is not None:
        _note_use(token, now)
    return token


@transaction.atomic
def revoke(token: ApiToken) -> None:
    """Refuses the token from the next request on; a second call changes nothing."""
    valid = ApiToken.objects.filter(pk=token.pk, revoked_at=None)
    if valid.update(revoked_at=timezone.now()):
        audit.record(Act.TOKEN_REVOKED, token, of=token.user.email)
    token.refresh_from_db(fields=["revoked_at"])


def _note_use(token: ApiToken, now: datetime) -> None:
    if token.last_used_at is None or now - token.last_used_at > LAST_USED_STEP:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)


def _random_text(size: int) -> str:
    return b32encode(secrets.token_bytes(size)).decode().lower()


def _digest(plaintext: str) -> str:
    return sha256(plaintext.encode()).hexdigest()
