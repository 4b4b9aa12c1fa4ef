"""Whether there is a glossary at all: mostly there is none, and then no question looks for words.

Remembered in the process for two seconds. A chat reads it along with its turn instead
(`chat.turns.claiming`).
"""

import time
from threading import Lock

from django.db import transaction

from knowledge.models import GlossaryEntry

REMEMBERED_SECONDS = 2.0

_lock = Lock()
_remembered: list[tuple[float, bool]] = []


def is_any_there() -> bool:
    """Anywhere, whoever may see it."""
    now = time.monotonic()
    with _lock:
        if _remembered and _remembered[0][0] > now:
            return _remembered[0][1]
    found = GlossaryEntry.objects.exists()
    with _lock:
        _remembered[:] = [(now + REMEMBERED_SECONDS, found)]
    return found


def forget() -> None:
    """In this process, now and once what was written counts; others hear of it within two
    seconds."""
    _clear()
    transaction.on_commit(_clear)


def _clear() -> None:
    with _lock:
        _remembered.clear()
