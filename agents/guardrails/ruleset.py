"""The installation's rules as a run needs them: at most two seconds old."""

from agents.guardrails.models import InstalledGuardrail
from agents.guardrails.rules import AnyRule, parse
from observability.remembered import Remembered


def list_installed() -> tuple[AnyRule, ...]:
    """Those that hold now, in their order. Raises ValidationError."""
    rows = InstalledGuardrail.objects.filter(is_enabled=True).order_by("position", "id")
    return parse(rows.values_list("rule", flat=True))


_remembered = Remembered(list_installed)


async def installed() -> tuple[AnyRule, ...]:
    """Without a query, most often. Raises ValidationError."""
    return await _remembered.get()


def forget_installed() -> None:
    """They were changed in this process."""
    _remembered.forget()
