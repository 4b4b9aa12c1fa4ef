"""What is in an upload: its conversations one by one, whichever product they are of."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_noop as _

from chat.imports import chatgpt, claude, parley
from chat.imports.archive import Report, read_parts
from chat.imports.stream import NO_CONVERSATIONS, read_items
from chat.imports.types import Foreign, Unreadable, line

FORMATS = (chatgpt, claude, parley)
UNKNOWN = _("This is not a conversation of ChatGPT, Claude or Parley.")


@dataclass(frozen=True, slots=True)
class Failed:
    """A conversation that cannot be taken, and why."""

    title: str
    reason: str


def read_conversations(path: Path, report: Report) -> Iterator[Foreign | Failed]:
    """Raises Unreadable when the rest of the file cannot be read, and when nothing was in it."""
    is_empty = True
    for pieces in read_parts(path, report):
        for item in read_items(pieces):
            is_empty = False
            yield _read(item)
    if is_empty:
        raise Unreadable(NO_CONVERSATIONS)


def _read(item: dict[str, Any] | Unreadable) -> Foreign | Failed:
    if isinstance(item, Unreadable):
        return Failed("", str(item))
    title = line(item.get("title") or item.get("name"))
    try:
        for kind in FORMATS:
            if kind.is_one(item):
                found: Foreign = kind.read(item)
                return found
    except Unreadable as problem:
        return Failed(title, str(problem))
    return Failed(title, UNKNOWN)
