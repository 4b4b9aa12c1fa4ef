"""Going on from an answer that broke off: its text comes first, and its marks stay true."""

import re
from collections.abc import Sequence

from agents.types import GoingOn, PackedPassage

_MARK = re.compile(r"\[(\d{1,3})\]")


def marks_in(text: str) -> list[int]:
    """The numbers that it cites, each once, in its order."""
    return list(dict.fromkeys(int(n) for n in _MARK.findall(text)))


def said_before(goes_on: GoingOn, passages: Sequence[PackedPassage]) -> str:
    """The text with the numbers that its passages have now; a mark of one not found again goes.

    What was found for the same question is usually the same, and then nothing changes.
    """
    now = {(p.first.document_id, p.first.start): p.n for p in passages}
    numbers = {n: now.get(place) for n, place in goes_on.places.items()}
    if all(n == number for n, number in numbers.items()):
        return goes_on.text

    def renumbered(found: re.Match[str]) -> str:
        number = numbers.get(int(found.group(1)))
        return "" if number is None else f"[{number}]"

    return _MARK.sub(renumbered, goes_on.text)
