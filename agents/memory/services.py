"""Writes about memories: always a person's own, and only while they want to be remembered."""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import Http404

from accounts.models import User
from agents.memory.errors import AlreadyRemembered, MemoryFull, NothingToRemember
from agents.memory.models import Memory
from agents.memory.wishes import tidy
from security import audit
from security.acts import Act
from security.text import storable

MOST = 200  # memories of a person


def remembers(user: User) -> bool:
    """Whether this Parley allows it and the person has switched it on."""
    return settings.PARLEY_MEMORY and user.memory != User.Memory.OFF


def save_said(user: User, facts: Sequence[str], origin: Memory.Origin) -> list[Memory]:
    """Those of the facts that were new and had room; may be done twice. For the runner."""
    current = User.objects.filter(pk=user.pk, is_active=True).first()
    if current is None or not remembers(current):
        return []
    room = MOST - Memory.objects.filter(owner=current).count()
    rows = [Memory(owner=current, text=storable(fact), origin=origin) for fact in facts]
    Memory.objects.bulk_create(rows[: max(room, 0)], ignore_conflicts=True)
    saved = Memory.objects.filter(pk__in=[row.pk for row in rows])
    return list(saved.order_by("pk"))


def add_memory(user: User, text: str, origin: Memory.Origin = Memory.Origin.WRITTEN) -> Memory:
    """Raises NothingToRemember, AlreadyRemembered and MemoryFull."""
    if Memory.objects.filter(owner=user).count() >= MOST:
        raise MemoryFull(MOST)
    return _store(Memory(owner=user, origin=origin), text)


def change_memory(user: User, memory_id: UUID, text: str) -> Memory:
    """Raises Http404, NothingToRemember and AlreadyRemembered."""
    return _store(_find(user, memory_id), text)


def forget_memory(user: User, memory_id: UUID) -> None:
    """Raises Http404."""
    _find(user, memory_id).delete()


@transaction.atomic
def forget_everything(user: User) -> int:
    """Delete all that is remembered about them; how much that was."""
    count, _rows = Memory.objects.editable_by(user).delete()
    audit.record(Act.MEMORY_FORGOTTEN, user, by=user, memories=count)
    return count


def choose_mode(user: User, mode: str) -> None:
    """Off, on request, or also what they mention; what is remembered already is kept."""
    user.memory = User.Memory(mode)
    user.save(update_fields=["memory"])


def _find(user: User, memory_id: UUID) -> Memory:
    found = Memory.objects.editable_by(user).filter(pk=memory_id).first()
    if found is None:
        raise Http404
    return found


def _store(memory: Memory, text: str) -> Memory:
    memory.text = tidy(storable(text))
    if not memory.text:
        raise NothingToRemember
    try:
        with transaction.atomic():
            memory.save()
    except IntegrityError:
        raise AlreadyRemembered from None
    return memory
