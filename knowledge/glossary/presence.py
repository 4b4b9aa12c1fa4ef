"""Whether there is a glossary at all: mostly there is none, and then no question looks for words.

Remembered in the process for two seconds. A chat reads it along with its turn instead
(`chat.turns.claiming`).
"""

from django.db import transaction

from knowledge.models import GlossaryEntry
from observability.remembered import Remembered

_remembered = Remembered(GlossaryEntry.objects.exists)


def is_any_there() -> bool:
    """Anywhere, whoever may see it."""
    return _remembered.get_now()


def forget() -> None:
    """In this process, now and once what was written counts; others hear of it within two
    seconds."""
    _remembered.forget()
    transaction.on_commit(_remembered.forget)
