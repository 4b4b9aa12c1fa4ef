"""Forgetting the answers that are kept for one person alone."""

from uuid import UUID

from agents.reuse.answers import ANSWERS
from agents.reuse.programs import SAID
from agents.reuse.similar import QUESTIONS
from caching.flushing import flush


def forget_answers_of(person_id: UUID) -> None:
    """Of somebody who is deleted; call it on commit. What was shared belongs to nobody."""
    for cache in (*ANSWERS.values(), QUESTIONS, SAID):
        flush(cache.name, f"person:{person_id}")
