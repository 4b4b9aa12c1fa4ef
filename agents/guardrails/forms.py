"""Guardrails in forms and lists: in words, and what there is to choose from."""

from collections.abc import Mapping
from typing import Any, get_args

from agents.guardrails.rules import DATA, LANGUAGES, AnyRule, RegexRule
from agents.guardrails.types import Action, Kind, OnFailure, Place
from agents.guardrails.wording import ACTIONS, KINDS, LABELS, ON_FAILURE, PLACES

# What a rule of a kind says besides what all say; the order of the form.
OPTIONS = {
    Kind.PERSONAL: ("data",),
    Kind.SECRETS: (),
    Kind.REGEX: ("pattern", "ignores_case"),
    Kind.DOMAINS: ("allowed",),
    Kind.LENGTH: ("most",),
    Kind.LANGUAGE: ("languages",),
    Kind.TOPIC: ("mode", "examples", "threshold"),
    Kind.MODERATION: ("model", "categories"),
    Kind.JUDGE: ("model", "criterion"),
    Kind.INJECTION: (),
}


def in_one_line(rule: Mapping[str, Any], *, is_named: bool = True) -> str:
    """A stored rule, for lists and comparisons of versions; without its name where that stands
    beside it."""
    kind = _named(KINDS, Kind, rule.get("kind"))
    places = ", ".join(_named(PLACES, Place, one) for one in rule.get("places", ()))
    action = _named(ACTIONS, Action, rule.get("action"))
    parts = [f"{rule.get('name', '')}: {kind}" if is_named else kind, places, action]
    for name in OPTIONS.get(rule.get("kind", ""), ()):
        value = rule.get(name)
        if value not in (None, "", [], False):
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            parts.append(f"{name} = {shown}")
    if rule.get("on_failure") == OnFailure.OPEN:
        parts.append(str(ON_FAILURE[OnFailure.OPEN]))
    if rule.get("reason"):
        parts.append(f"“{rule['reason']}”")
    return " · ".join(map(str, parts))


def _named(names: Mapping[Any, Any], kind: Any, value: Any) -> str:
    return str(names[kind(value)]) if value in set(kind) else str(value)


def choices() -> dict[str, list[tuple[str, str]]]:
    """By the name of the field, what it can be and how that is called."""
    return {
        "kind": [(one.value, str(label)) for one, label in KINDS.items()],
        "places": [(one.value, str(label)) for one, label in PLACES.items()],
        "action": [(one.value, str(label)) for one, label in ACTIONS.items()],
        "on_failure": [(one.value, str(label)) for one, label in ON_FAILURE.items()],
        "data": [(one, str(LABELS[one])) for one in DATA],
        "languages": list(LANGUAGES.items()),
    }


def kinds() -> dict[str, dict[str, Any]]:
    """What a rule of each kind can be, for forms."""
    return {
        rule.model_fields["kind"].annotation.__args__[0].value: {
            "actions": [one.value for one in Action if one in rule.actions],
            "places": [one.value for one in Place if one in rule.possible],
            "asks": rule.asks_somebody or rule is RegexRule,
        }
        for rule in get_args(AnyRule)
    }
