"""The layer in front of Redis: what this event loop used in the last seconds, packed.

It answers only while flushes are heard, and with nothing from before that. A flush reaches other
processes a moment later than Redis: what must not be a moment late is not held near.
"""

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from caching import flushes

MOST_BYTES = 16 * 1024 * 1024  # of all caches together
LARGEST = 256 * 1024
ENTRY_BYTES = 300


@dataclass(frozen=True, slots=True)
class _Entry:
    packed: bytes
    scopes: Sequence[str]
    since: float
    until: float


class Near:
    """By least recent use. Times are monotonic."""

    def __init__(self) -> None:
        self.heard_since = float("inf")  # from when on flushes are heard; inf: they are not
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._bytes = 0

    def get(self, cache: str, field: bytes) -> bytes | None:
        entry = self._entries.get(field)
        if entry is None:
            return None
        is_over = time.monotonic() >= entry.until or entry.since < self.heard_since
        if is_over or flushes.is_void(cache, entry.scopes, entry.since):
            self._drop(field)
            return None
        self._entries.move_to_end(field)
        return entry.packed

    def put(
        self, field: bytes, packed: bytes, scopes: Sequence[str], since: float, seconds: float
    ) -> None:
        """`since` is when the question was put whose answer this is."""
        self._drop(field)
        if seconds <= 0 or since < self.heard_since or len(packed) > LARGEST:
            return
        self._entries[field] = _Entry(packed, scopes, since, time.monotonic() + seconds)
        self._bytes += len(packed) + ENTRY_BYTES
        while self._bytes > MOST_BYTES:
            self._drop(next(iter(self._entries)))

    def _drop(self, field: bytes) -> None:
        entry = self._entries.pop(field, None)
        if entry is not None:
            self._bytes -= len(entry.packed) + ENTRY_BYTES
