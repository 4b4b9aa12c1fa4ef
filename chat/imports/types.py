"""What the readers of exports make of them, whoever wrote them."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from security.text import storable

EARLIEST = datetime(2015, 1, 1, tzinfo=UTC)
SLACK = timedelta(days=1)  # of a clock that was ahead


class Unreadable(Exception):
    """The file, or one conversation in it, cannot be taken; its text is yet to be translated."""


@dataclass(frozen=True, slots=True)
class Node:
    """A message of an export. Without a role it is no message for a reader: a tool at work, rules
    for the model; what follows it follows what came before."""

    id: str
    parent: str | None
    role: str = ""
    text: str = ""
    reasoning: str = ""
    model: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Foreign:
    """One conversation of an export; `current` is the node that was shown last."""

    source: str
    external_id: str
    title: str
    nodes: list[Node] = field(default_factory=list)
    current: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


def moment(value: Any) -> datetime | None:
    """Of seconds since 1970 or ISO 8601; None for anything that cannot have been."""
    at: datetime | None = None
    try:
        if isinstance(value, str):
            at = datetime.fromisoformat(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            at = datetime.fromtimestamp(value, UTC) if math.isfinite(value) else None
    except (ValueError, OverflowError, OSError):
        return None
    if at is None:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at if EARLIEST < at < datetime.now(UTC) + SLACK else None


def words(value: Any) -> str:
    """A text that can be stored; empty for anything else."""
    return storable(value) if isinstance(value, str) else ""


def line(value: Any, length: int = 200) -> str:
    return " ".join(words(value)[: length * 4].split())[:length]


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
