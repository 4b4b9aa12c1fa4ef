"""What this process knows of flushes: the same rule as in Redis, by the clock of the process."""

import time
from collections.abc import Sequence
from threading import Lock

MOST_MARKS = 10_000
MARK_SECONDS = 3600.0  # nothing is made for longer, and nothing is held near for as long

_lock = Lock()
_marks: dict[tuple[str, str], float] = {}


def note(cache: str, scope: str) -> None:
    """Whatever began before now is void; scope "" is everything."""
    now = time.monotonic()
    with _lock:
        _marks[cache, scope] = now
        if len(_marks) > MOST_MARKS:
            for key in [key for key, at in _marks.items() if now - at > MARK_SECONDS]:
                del _marks[key]


def is_void(cache: str, scopes: Sequence[str], since: float) -> bool:
    """Whether what began at `since` (monotonic) was flushed."""
    return any(_marks.get((cache, scope), -1.0) >= since for scope in ("", *scopes))
