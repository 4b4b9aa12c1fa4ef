"""What a run of an agent may take, in words and as the form asks for it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from agents.types.limits import Limits

LABELS = {
    "steps": _("Calls of the model"),
    "calls": _("Calls of tools"),
    "repeats": _("The very same call"),
    "tokens": _("Tokens in all"),
    "seconds": _("Seconds"),
}
RANGES = {
    "steps": (2, 50),
    "calls": (1, 200),
    "repeats": (1, 20),
    "tokens": (1000, 2_000_000),
    "seconds": (10, 1800),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A limit in the form; `said` is empty where it is as usual."""

    name: str
    label: Any
    least: int
    most: int
    usual: int
    said: int | None


def list_limits(said: Mapping[str, int]) -> list[Asked]:
    usual = asdict(Limits())
    return [
        Asked(name, label, *RANGES[name], usual[name], said.get(name))
        for name, label in LABELS.items()
    ]


def in_words(said: Mapping[str, int]) -> dict[str, int]:
    """By what they are called, in the order of the form."""
    return {str(label): said[name] for name, label in LABELS.items() if name in said}
