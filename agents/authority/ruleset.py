"""The administrators' rules as a run needs them: at most two seconds old."""

from agents.authority.models import PolicyRule
from agents.authority.rules import Rule
from observability.remembered import Remembered


def list_rules() -> tuple[Rule, ...]:
    """Those that hold now."""
    return tuple(row.as_rule() for row in PolicyRule.objects.filter(is_enabled=True))


_remembered = Remembered(list_rules)


def recent_rules() -> tuple[Rule, ...] | None:
    """Without a query; None where they are too old to go by."""
    return _remembered.recent()


def current_rules() -> tuple[Rule, ...]:
    """At most two seconds old."""
    return _remembered.get_now()


def forget_rules() -> None:
    """They were changed in this process."""
    _remembered.forget()
