"""What a model wrote, as queries; nothing of it is believed but that it can be searched for."""

from collections.abc import Collection
from typing import Any

import orjson

from agents.understanding.prompting import MOST
from knowledge.analyzer import analyze
from knowledge.retrieval.types import Query, Way
from knowledge.switches import Switch
from security.text import storable

LONGEST = 400  # characters of a question
LONGEST_PASSAGE = 1_200
# How much what a way finds counts beside what the question itself finds.
WAYS = {
    Switch.STANDALONE: (Way.STANDALONE, 1.0),
    Switch.REWRITES: (Way.REWRITE, 0.6),
    Switch.HYPOTHETICAL: (Way.HYPOTHETICAL, 0.5),
    Switch.SUB_QUESTIONS: (Way.PART, 0.6),
    Switch.STEP_BACK: (Way.STEP_BACK, 0.4),
    Switch.TRANSLATION: (Way.TRANSLATION, 0.8),
}


def queries_in(said: str, wanted: Collection[Switch]) -> list[Query]:
    """In the order of the switches; empty for what is no such object, or holds nothing to use."""
    found = _object(said)
    return [
        Query(text, *WAYS[switch])
        for switch in WAYS
        if switch in wanted
        for text in _texts(found.get(switch.value), switch)
    ]


def _object(said: str) -> dict[str, Any]:
    """The object, also where a fence or a sentence stands around it."""
    start, end = said.find("{"), said.rfind("}")
    try:
        found = orjson.loads(said[start : end + 1]) if 0 <= start < end else {}
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _texts(value: Any, switch: Switch) -> list[str]:
    values = value if isinstance(value, list) else [value]
    longest = LONGEST_PASSAGE if switch is Switch.HYPOTHETICAL else LONGEST
    tidied = (" ".join(storable(one).split()) for one in values if isinstance(one, str))
    return [text for text in tidied if len(text) <= longest and analyze(text)][:MOST]
