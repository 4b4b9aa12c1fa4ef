"""Texts made comparable without moving a character: what is found in them is where it was."""

import re
import unicodedata

from knowledge.analyzer import simplified

_SPACE = re.compile(r"\s+")


def folded(text: str) -> str:
    """Lower case, half width and Simplified, of the same length as `text`."""
    plain = "".join(map(_folded_one, text))
    simple = simplified(plain)
    return simple if len(simple) == len(text) else plain


def _folded_one(character: str) -> str:
    normal = unicodedata.normalize("NFKC", character).lower()
    return normal if len(normal) == 1 else character


def tidy(text: str) -> str:
    """One line without what is left over at the ends when words are taken out."""
    return _SPACE.sub(" ", text).strip(" ,，、;；:：")
