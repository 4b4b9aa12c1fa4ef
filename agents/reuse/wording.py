"""What two questions may not differ in, however near they lie: figures and negations."""

import re

_FIGURES = re.compile(r"\d+(?:[.,:/-]\d+)*")
_NEGATIONS = re.compile(
    r"\b(?:no|not|never|none|nobody|nothing|without|except|unless|cannot|neither|nor)\b"
    r"|n['’]t\b|[不没沒無无非未别勿]",
    re.IGNORECASE,
)


def same_figures(one: str, other: str) -> bool:
    """Whether they name the same numbers, and negate as often."""
    return _figures(one) == _figures(other) and _negations(one) == _negations(other)


def _figures(text: str) -> list[str]:
    return sorted(_FIGURES.findall(text))


def _negations(text: str) -> int:
    return len(_NEGATIONS.findall(text))
