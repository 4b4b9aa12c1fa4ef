"""Idempotency keys: a request that comes again finds the turn that it made."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.http import Http404

from accounts.models import User
from chat.choosing import Choice
from chat.errors import KeyReused
from chat.models import Turn
from chat.turns.fingerprints import fingerprint


@dataclass(frozen=True, slots=True)
class Key:
    """An idempotency key, if there is one, with the request it stands for."""

    text: str | None
    fingerprint: str = ""


def key_of(
    text: str | None,
    agent: UUID | None,
    chosen: Choice,
    *asked: object,
    more: Mapping[str, object] | None = None,
) -> Key:
    """`more` is what a question may carry besides; only what it does counts."""
    if text is None:
        return Key(None)
    collections = chosen.collection_ids
    ids = None if collections is None else sorted(collections)
    given = {name: value for name, value in (more or {}).items() if value is not None}
    return Key(text, fingerprint(agent, ids, *asked, *([given] if given else [])))


def same_turn(user: User, key: Key) -> Turn:
    """The turn that took the key first. Raises KeyReused when that was another request, and
    Http404 when it was the conversation that went."""
    if key.text is None:
        raise Http404
    found = Turn.objects.filter(
        requested_by=user, idempotency_key=key.text, conversation__deleted_at=None
    )
    turn = found.select_related("question").first()
    if turn is None:
        raise Http404
    if turn.fingerprint != key.fingerprint:
        raise KeyReused
    return turn
