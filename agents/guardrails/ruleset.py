"""The installation's rules as a run needs them: read once in two seconds and process."""

import time
from threading import Lock

from agents.guardrails.models import InstalledGuardrail
from agents.guardrails.rules import AnyRule, parse
from observability.patience import run_patiently

REMEMBERED_SECONDS = 2.0

_lock = Lock()
_remembered: tuple[float, tuple[AnyRule, ...]] | None = None


def list_installed() -> tuple[AnyRule, ...]:
    """Those that hold now, in their order. Raises ValidationError."""
    rows = InstalledGuardrail.objects.filter(is_enabled=True).order_by("position", "id")
    return parse(rows.values_list("rule", flat=True))


async def installed() -> tuple[AnyRule, ...]:
    """At most two seconds old. Of those who find them too old one reads them anew; the others use
    them meanwhile. Raises ValidationError."""
    global _remembered  # noqa: PLW0603 - what a process remembers
    now = time.monotonic()
    with _lock:
        found = _remembered
        if found is not None and found[0] > now:
            return found[1]
        if found is not None:
            _remembered = (now + REMEMBERED_SECONDS, found[1])
    try:
        rules = await run_patiently(list_installed)
    except BaseException:
        forget_installed()
        raise
    with _lock:
        _remembered = (now + REMEMBERED_SECONDS, rules)
    return rules


def forget_installed() -> None:
    """They were changed in this process."""
    global _remembered  # noqa: PLW0603
    with _lock:
        _remembered = None
