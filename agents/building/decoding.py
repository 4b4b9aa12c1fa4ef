"""How an agent's model decodes, beside temperature and thinking: as it is stored with the agent, in
the form, in words, and as the gateway is told."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from django.utils.translation import gettext_lazy as _

from gateway.controls import Controls
from gateway.types import AS_IT_IS

AVOIDED = -100.0  # the bias of a word that is not to be said
LABELS = {
    "top_p": _("Top p"),
    "presence_penalty": _("Presence penalty"),
    "frequency_penalty": _("Frequency penalty"),
    "seed": _("Seed"),
    "lora": _("Adapter (LoRA)"),
    "avoided": _("Words to avoid"),
}
# Of those that are numbers: the least, the most, and the step of the form.
RANGES: dict[str, tuple[float, float, str]] = {
    "top_p": (0.01, 1, "0.01"),
    "presence_penalty": (-2, 2, "0.1"),
    "frequency_penalty": (-2, 2, "0.1"),
    "seed": (0, 2**31 - 1, "1"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A control in the form; `said` is empty where the model does as it does."""

    name: str
    label: Any
    kind: Literal["number", "text", "lines"]
    said: Any = ""
    least: float = 0
    most: float = 0
    step: str = ""


def list_controls(said: Mapping[str, Any]) -> list[Asked]:
    numbers = [
        Asked(name, LABELS[name], "number", said.get(name, ""), *RANGES[name]) for name in RANGES
    ]
    adapter = Asked("lora", LABELS["lora"], "text", said.get("lora", ""))
    avoided = "\n".join(said.get("avoided", ()))
    return [*numbers, adapter, Asked("avoided", LABELS["avoided"], "lines", avoided)]


def in_words(said: Mapping[str, Any]) -> dict[str, str]:
    """By what they are called, in the order of the form."""
    found = {}
    for name, label in LABELS.items():
        if name in said:
            value = said[name]
            found[str(label)] = ", ".join(value) if isinstance(value, list) else str(value)
    return found


def controls_in(said: Mapping[str, Any]) -> Controls:
    if not said:
        return AS_IT_IS
    numbers = {name: said[name] for name in RANGES if name in said}
    words = dict.fromkeys(said.get("avoided", ()), AVOIDED)
    return Controls(**numbers, lora=said.get("lora", ""), word_bias=words)


def with_usual(given: Controls, usual: Controls) -> Controls:
    """What a request says, and the agent's where it says nothing."""
    if usual is AS_IT_IS:
        return given
    told = {one.name: getattr(given, one.name) for one in fields(Controls)}
    changed = {name: value for name, value in told.items() if value != getattr(AS_IT_IS, name)}
    return replace(usual, **changed)
