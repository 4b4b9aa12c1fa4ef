"""Which definition of a tool was approved, by its SHA-256: another one is off until somebody
approves that too (CVE-2025-54136)."""

import difflib
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any

from security.text import storable

# What models are told, and what an administrator decides by.
PARTS = ("name", "title", "description", "inputSchema", "outputSchema", "annotations")
MOST_CHARS = 50_000  # of one definition
Definition = Mapping[str, Any]


class State(StrEnum):
    NEW = "new"  # nobody has looked at it
    APPROVED = "approved"
    CHANGED = "changed"  # another one was approved
    REJECTED = "rejected"
    GONE = "gone"  # the server does not offer it any more


@dataclass(frozen=True, slots=True)
class Line:
    """One of a comparison: `sign` is + for what is new, - for what was, or a space."""

    sign: str
    text: str


def definition_of(tool: Mapping[str, Any]) -> dict[str, Any]:
    """Of what a server says about a tool, what counts; as it can be stored.

    Raises ValueError for more than anybody would read.
    """
    kept = {part: tool[part] for part in PARTS if tool.get(part) is not None}
    if len(canonical(kept)) > MOST_CHARS:
        raise ValueError("The definition is too long.")
    plain: dict[str, Any] = _storable(kept)
    return plain


def canonical(definition: Definition) -> str:
    """The one way to write it down; the order of keys says nothing."""
    return json.dumps(definition, sort_keys=True, allow_nan=False, separators=(",", ":"))


def pin_of(definition: Definition) -> str:
    return hashlib.sha256(canonical(definition).encode()).hexdigest()


def state_of(pin: str, approved: str, rejected: str, *, is_offered: bool) -> State:
    """What holds of a definition with this pin, where others were approved or rejected."""
    if not is_offered:
        return State.GONE
    if pin == approved:
        return State.APPROVED
    if pin == rejected:
        return State.REJECTED
    return State.CHANGED if approved else State.NEW


def difference(before: Definition, after: Definition) -> Iterator[Line]:
    """Line by line, with what stayed the same."""
    lines = _lines(before), _lines(after)
    for line in islice(difflib.unified_diff(*lines, n=max(map(len, lines)), lineterm=""), 3, None):
        yield Line(line[0], line[1:])


def _lines(definition: Definition) -> list[str]:
    """The description as people read it, the rest as JSON."""
    rest = {part: said for part, said in definition.items() if part != "description"}
    said = str(definition.get("description", "")).splitlines()
    return [*said, *json.dumps(rest, ensure_ascii=False, sort_keys=True, indent=2).splitlines()]


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {storable(str(key)): _storable(one) for key, one in value.items()}
    return [_storable(one) for one in value] if isinstance(value, list | tuple) else value
