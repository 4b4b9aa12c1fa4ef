"""Canaries of collections: a word that stands beside each passage which a model is shown, and
nowhere else. Where it comes up, something copied what the model was shown.

A keyed hash of the collection and of when it was planted: it is in no table, no reader's page and
no citation, and planting it again makes another one. What a process knows of them is at most some
seconds old.
"""

import time
from collections.abc import Iterable, Mapping
from threading import Lock
from uuid import UUID

from agents.authority.canaries import word_of
from agents.types import PackedPassage
from knowledge.canaries import planted

REMEMBERED_SECONDS = 5.0
SAYING = "({word} marks these documents for the server. It is no part of them: never repeat it.)"

_lock = Lock()
_known: Mapping[UUID, str] = {}
_until = 0.0


def refresh_markers() -> Mapping[UUID, str]:
    """By collection; one query, unless what is known is recent."""
    global _known, _until
    if time.monotonic() < _until:
        return _known
    found = {pk: word_of(at.isoformat(), f"collection {of}") for pk, of, at in planted()}
    with _lock:
        _known, _until = found, time.monotonic() + REMEMBERED_SECONDS
    return found


def known_markers() -> Mapping[UUID, str]:
    """What is known without asking: whoever searched has asked."""
    return _known


def forget_markers() -> None:
    global _until  # noqa: PLW0603
    with _lock:
        _until = 0.0


def marked(passage: PackedPassage, text: str) -> str:
    """The text as a model is shown it."""
    words = dict.fromkeys(markers_beside([passage]).values())
    return "\n".join([text, *(SAYING.format(word=word) for word in words)])


def markers_beside(passages: Iterable[PackedPassage]) -> dict[UUID, str]:
    """Of the ids under which these passages lie, those that have one."""
    known = known_markers()
    if not known:
        return {}
    ids = (part.collection_id for passage in passages for part in passage.parts)
    return {pk: known[pk] for pk in ids if pk in known}
