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
    "money": _("Money, in the currency of its prices"),
}
RANGES: dict[str, tuple[float, float]] = {
    "steps": (2, 50),
    "calls": (1, 200),
    "repeats": (1, 20),
    "tokens": (1000, 2_000_000),
    "seconds": (10, 1800),
    "money": (0.0001, 10_000),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A limit in the form; `said` is empty where it is as usual, `usual` where there is none."""

    name: str
    label: Any
    least: float
    most: float
    usual: float
    said: float | None

    @property
    def step(self) -> str:
        return "any" if self.name == "money" else "1"


def list_limits(said: Mapping[str, float]) -> list[Asked]:
    usual = asdict(Limits())
    return [
        Asked(name, label, *RANGES[name], usual[name], said.get(name))
        for name, label in LABELS.items()
    ]


def in_words(said: Mapping[str, float]) -> dict[str, float]:
    """By what they are called, in the order of the form."""
    return {str(label): said[name] for name, label in LABELS.items() if name in said}
