"""Reads of memories, and which of them a question takes along."""

import re
from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from agents.memory.models import Memory
from agents.tokens import estimate_tokens
from agents.types import Recollection
from security.reading import second_lock

BUDGET = 400  # tokens of a prompt
_WORDS = re.compile(r"[a-z0-9]{3,}|[\u3400-\u9fff]", re.IGNORECASE)


@second_lock
def list_memories(user: User | AnonymousUser, ids: Iterable[UUID] | None = None) -> list[Memory]:
    """Theirs, the newest first; only those of `ids` if some are given."""
    found = Memory.objects.visible_to(user)
    return list(found if ids is None else found.filter(pk__in=list(ids)))


def recall(user_ids: Collection[UUID]) -> dict[UUID, list[Recollection]]:
    """What is remembered about each, the newest first; one query. For the runner."""
    known: dict[UUID, list[Recollection]] = {}
    rows = Memory.objects.filter(owner__in=user_ids).order_by("-updated_at")
    for owner_id, memory_id, text in rows.values_list("owner", "pk", "text"):
        known.setdefault(owner_id, []).append(Recollection(memory_id, text))
    return known


def choose(
    known: Sequence[Recollection], question: str, budget: int = BUDGET
) -> tuple[Recollection, ...]:
    """All of them if they fit; else those that share words with the question, then the newest."""
    asked = set(_WORDS.findall(question.lower()))
    order = sorted(
        range(len(known)),
        key=lambda n: (-len(asked & set(_WORDS.findall(known[n].text.lower()))), n),
    )
    chosen = []
    for n in order:
        budget -= estimate_tokens(known[n].text) + 2
        if budget < 0:
            break
        chosen.append(n)
    return tuple(known[n] for n in sorted(chosen))
