"""Numbers in an answer whose source its reader cannot open any more, or never could.

What is left of such a source is its number in the text: neither its title nor its words are known
here, so nothing of it can leave.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from agents.citations import CitationGate
from chat.visibility import NAMING

_MARK = re.compile(r"\[(\d{1,3})\]")


def gone_numbers(text: str, steps: Iterable[Mapping[str, Any]], cited: Iterable[int]) -> list[int]:
    """The numbers that `text` cites, but for those that the steps and citations still explain.

    Only an answer that was given passages cites any; in others brackets are just brackets.
    """
    given = [step["data"] for step in steps if step["kind"] in NAMING]
    if not given:
        return []
    known = {passage["n"] for data in given for passage in data.get("passages", ())} | set(cited)
    unknown = {int(number) for number in _MARK.findall(text)} - known
    if not unknown:
        return []
    gate = CitationGate(unknown)  # knows code, where a[0] is no citation
    gate.feed(text)
    gate.close()
    return sorted({claim.n for claim in gate.take_claims()})
