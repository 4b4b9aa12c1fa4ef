"""Forgetting the answers that are kept for one person alone."""

from typing import Any
from uuid import UUID

from agents.reuse.answers import ANSWERS
from agents.reuse.programs import SAID
from agents.reuse.similar import QUESTIONS
from caching.cache import Cache
from caching.flushing import flush

KEPT: tuple[Cache[Any], ...] = (*ANSWERS.values(), QUESTIONS, SAID)


def forget_answers_of(person_id: UUID) -> None:
    """Of somebody who is deleted, or has deleted a conversation; call it on commit. What was
    shared belongs to nobody."""
    for cache in KEPT:
        flush(cache.name, f"person:{person_id}")
