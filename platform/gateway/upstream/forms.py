"""The form that an answer has to have, as something that can be asked for in words and checked."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonschema_rs
import orjson

from gateway.controls import Controls
from gateway.errors import BadRequest
from security.sentences import Sentence

_FENCED = re.compile(r"\A\s*```[\w-]*\n(.*?)\n?```\s*\Z", re.DOTALL)
SHOWN_CHOICES = 20


@dataclass(frozen=True, slots=True)
class Form:
    """`read` gives the answer without its wrapping; raises ValueError, which says what is wrong."""

    instruction: str
    read: Callable[[str], str]


def form_of(controls: Controls) -> Form:
    """Raises BadRequest for a schema or a pattern that is none."""
    if controls.json_schema is not None:
        return _schema_form(dict(controls.json_schema))
    if controls.choices:
        return _choice_form(controls.choices)
    return _regex_form(controls.regex)


def choice_schema(choices: tuple[str, ...]) -> dict[str, Any]:
    """Choices for a server that only knows schemas; an object, because some demand one."""
    return {
        "type": "object",
        "properties": {"answer": {"type": "string", "enum": list(choices)}},
        "required": ["answer"],
        "additionalProperties": False,
    }


def choice_in(text: str) -> str:
    """The answer in an object of `choice_schema`."""
    found = orjson.loads(text)["answer"]
    return str(found)


def _schema_form(schema: dict[str, Any]) -> Form:
    written = orjson.dumps(schema, option=orjson.OPT_SORT_KEYS)
    validator = _validator(written)

    def read(text: str) -> str:
        bare = _unfenced(text)
        try:
            value = orjson.loads(bare)
        except orjson.JSONDecodeError as error:
            raise ValueError(f"It is not JSON: {error}.") from error
        for fault in validator.iter_errors(value):
            path = "/".join(map(str, fault.instance_path))
            raise ValueError(f"At “/{path}”: {fault.message}")
        return bare

    return Form(
        "Answer with one JSON value that is valid against this JSON Schema, and with nothing else: "
        f"no explanation, no code fence.\n{written.decode()}",
        read,
    )


def _choice_form(choices: tuple[str, ...]) -> Form:
    listed = "\n".join(f"- {choice}" for choice in choices)
    folded = {choice.casefold(): choice for choice in reversed(choices)}

    def read(text: str) -> str:
        bare = _unfenced(text)
        if bare in choices:
            return bare
        bare = bare.strip("\"'“”‘’`*. \n").casefold()
        if bare not in folded:
            shown = ", ".join(choices[:SHOWN_CHOICES])
            raise ValueError(f"It is none of these: {shown}.")
        return folded[bare]

    return Form(f"Answer with exactly one of these and with nothing else:\n{listed}", read)


def _regex_form(pattern: str) -> Form:
    # In linear time: neither a pattern nor an answer can keep the process busy.
    schema = {"type": "string", "pattern": rf"^(?:{pattern})$"}
    validator = _validator(orjson.dumps(schema))

    def read(text: str) -> str:
        bare = _unfenced(text)
        if not validator.is_valid(bare):
            raise ValueError(f"It does not match {pattern}")
        return bare

    return Form(
        "Answer with a text that matches this regular expression as a whole, and with nothing "
        f"else:\n{pattern}",
        read,
    )


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> Any:
    """Fetches nothing: a schema that refers to an address is refused."""
    try:
        return jsonschema_rs.validator_for(
            orjson.loads(schema),
            retriever=_refuse,
            pattern_options=jsonschema_rs.RegexOptions(),
        )
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise BadRequest(Sentence("no_form", reason=reason)) from error


def _refuse(uri: str) -> Any:
    raise ValueError(f"{uri} is not fetched")


def _unfenced(text: str) -> str:
    found = _FENCED.match(text)
    return (found[1] if found else text).strip()
