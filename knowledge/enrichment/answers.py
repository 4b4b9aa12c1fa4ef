"""What a model may answer, and nothing else: by schema, bounded, as plain words. Pure.

Whatever stands in a document, the most it can do through here is to be described badly.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ValidationError

from security.text import storable

MOST_QUESTIONS, MOST_PHRASES = 3, 10
LONGEST_TITLE, LONGEST_SUMMARY, LONGEST_PHRASE = 200, 1_000, 80
LONGEST_CONTEXT, LONGEST_QUESTION = 300, 160
_FENCED = re.compile(r"^\s*```(?:json)?\s*(.*?)\s*```\s*$", re.DOTALL)
# Controls, and what readers do not see: zero width, directions, tags.
_UNSEEN = re.compile(
    r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)


class Unusable(ValueError):
    """The answer has not the form that was asked for."""


def _bounded(longest: int) -> BeforeValidator:
    def clean(value: Any) -> Any:
        return _plain(value, longest) if isinstance(value, str) else value

    return BeforeValidator(clean)


def _few(most: int, longest: int) -> BeforeValidator:
    def clean(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        found = [_plain(one, longest) for one in value[: most * 2] if isinstance(one, str)]
        return list(dict.fromkeys(filter(None, found)))[:most]

    return BeforeValidator(clean)


def _plain(text: str, longest: int) -> str:
    """On one line, without what nobody sees, and no longer than that."""
    words = " ".join(_UNSEEN.sub(" ", storable(text)).split())
    return words if len(words) <= longest else words[: longest - 1].rstrip() + "…"


class AboutDocument(BaseModel):
    title: Annotated[str, _bounded(LONGEST_TITLE)] = ""
    summary: Annotated[str, _bounded(LONGEST_SUMMARY)] = ""
    key_phrases: Annotated[list[str], _few(MOST_PHRASES, LONGEST_PHRASE)] = []


class _Entry(BaseModel):
    n: int
    context: Annotated[str, _bounded(LONGEST_CONTEXT)] = ""
    questions: Annotated[list[str], _few(MOST_QUESTIONS, LONGEST_QUESTION)] = []


class _Entries(BaseModel):
    passages: list[_Entry]


@dataclass(frozen=True, slots=True)
class AboutPassage:
    context: str = ""
    questions: tuple[str, ...] = ()


def parse_document(said: str) -> AboutDocument:
    """Raises `Unusable`."""
    try:
        return AboutDocument.model_validate_json(_json(said))
    except ValidationError as error:
        raise Unusable(str(error)) from error


def parse_passages(said: str, count: int) -> dict[int, AboutPassage]:
    """By the number of the passage, from 1 to `count`; other numbers, and a number's second entry,
    are dropped. Raises `Unusable`."""
    try:
        found = _Entries.model_validate_json(_json(said)).passages
    except ValidationError as error:
        raise Unusable(str(error)) from error
    by_number: dict[int, AboutPassage] = {}
    for entry in found[: count * 2]:
        if 1 <= entry.n <= count:
            by_number.setdefault(entry.n, AboutPassage(entry.context, tuple(entry.questions)))
    return by_number


def _json(said: str) -> str:
    """What some models put around it, taken off."""
    found = _FENCED.match(said)
    return found[1] if found else said


_STRING = {"type": "string"}
_STRINGS = {"type": "array", "items": _STRING}


def _object(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object", "properties": properties, "required": list(properties),
        "additionalProperties": False,
    }  # fmt: skip


DOCUMENT_FORM: Mapping[str, Any] = _object(title=_STRING, summary=_STRING, key_phrases=_STRINGS)
PASSAGES_FORM: Mapping[str, Any] = _object(
    passages={
        "type": "array",
        "items": _object(n={"type": "integer"}, context=_STRING, questions=_STRINGS),
    }
)
