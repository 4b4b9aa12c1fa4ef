"""A text's letters and digits, comparable across case, width, script and punctuation."""

import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

import opencc

_KEPT = frozenset("%‰")  # signs that belong to a number; so do those of currencies


@dataclass(frozen=True, slots=True)
class Folded:
    """`at[i]` is the index in the text of letter `i`."""

    letters: str
    at: list[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where the letters from `start` to `end`, at least one, stand in the text."""
        return self.at[start], self.at[end - 1] + 1


def fold(text: str) -> Folded:
    """Compatibility forms resolved, lower case, without accents, in Simplified characters."""
    letters: list[str] = []
    at: list[int] = []
    for index, character in enumerate(text):
        if plain := _plain(character):
            letters.append(plain)
            at.extend([index] * len(plain))
    return Folded(_simplified("".join(letters)), at)


@lru_cache(maxsize=65_536)
def _plain(character: str) -> str:
    folded = unicodedata.normalize("NFKD", character).casefold()
    return "".join(filter(_counts, folded))


def _counts(character: str) -> bool:
    return character.isalnum() or character in _KEPT or unicodedata.category(character) == "Sc"


def _simplified(letters: str) -> str:
    """Of the same length: a letter stays where it is."""
    if letters.isascii():
        return letters
    converted: str = _simplifier().convert(letters)
    if len(converted) == len(letters):
        return converted
    return "".join(map(_simplified_character, letters))


@lru_cache(maxsize=65_536)
def _simplified_character(letter: str) -> str:
    converted: str = _simplifier().convert(letter)
    return converted if len(converted) == 1 else letter


@cache
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
