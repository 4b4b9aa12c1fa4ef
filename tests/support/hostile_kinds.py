"""What a hostile file is, and what may become of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

MB = 1024 * 1024
REFUSED, FAILED, READ = "refused", "failed", "read"
EITHER = (FAILED, READ)


@dataclass(frozen=True)
class Hostile:
    """`name` is the file's; `outcomes` are those that are acceptable."""

    what: str
    name: str
    make: Callable[[], bytes]
    outcomes: tuple[str, ...]
