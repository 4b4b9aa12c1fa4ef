"""The administrators' rules as a run needs them: read once in two seconds and process."""

import time
from threading import Lock

from agents.authority.models import PolicyRule
from agents.authority.rules import Rule

REMEMBERED_SECONDS = 2.0

_lock = Lock()
_remembered: tuple[float, tuple[Rule, ...]] = (0.0, ())


def list_rules() -> tuple[Rule, ...]:
    """Those that hold now."""
    return tuple(row.as_rule() for row in PolicyRule.objects.filter(is_enabled=True))


def recent_rules() -> tuple[Rule, ...] | None:
    """Without a query; None where they are too old to go by."""
    until, rules = _remembered
    return rules if time.monotonic() < until else None


def current_rules() -> tuple[Rule, ...]:
    """At most two seconds old."""
    global _remembered  # noqa: PLW0603 - what a process remembers
    found = recent_rules()
    if found is None:
        found = list_rules()
        with _lock:
            _remembered = (time.monotonic() + REMEMBERED_SECONDS, found)
    return found


def forget_rules() -> None:
    """They were changed in this process."""
    global _remembered  # noqa: PLW0603
    with _lock:
        _remembered = (0.0, ())
