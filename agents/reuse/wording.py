"""What two questions may not differ in, however near they lie, and which are not compared."""

import re

from knowledge.analyzer import guess_language

_FIGURES = re.compile(r"\d+(?:[.,:/-]\d+)*")
_NEGATIONS = re.compile(
    r"\b(?:no|not|never|none|nobody|nothing|without|except|unless|cannot|neither|nor"
    r"|nicht|kein\w*|nie|niemals|ohne|pas|jamais|sans|rien|nunca|sin)\b"
    r"|n['’]t\b|[不没沒無无非未别勿]",
    re.IGNORECASE,
)

_BEYOND_LATIN = re.compile("[^\u0000-\u024f\u1e00-\u1eff\u2000-\u206f\u20ac]")


def is_readable(text: str, *, is_multilingual: bool) -> bool:
    """Whether an embedder knows the words: to one that does not, all of them are the same."""
    return is_multilingual or not _BEYOND_LATIN.search(text)


def may_share(one: str, other: str) -> bool:
    """Whether one answer can do for both at all: an answer speaks the language of its question,
    and in Chinese its script."""
    return guess_language(one) == guess_language(other) and same_figures(one, other)


def same_figures(one: str, other: str) -> bool:
    """Whether they name the same numbers, and negate as often."""
    return _figures(one) == _figures(other) and _negations(one) == _negations(other)


def _figures(text: str) -> list[str]:
    return sorted(_FIGURES.findall(text))


def _negations(text: str) -> int:
    return len(_NEGATIONS.findall(text))
