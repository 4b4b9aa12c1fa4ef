"""A model that obeys: whatever stands anywhere in its context, it does.

`CALL name` or `CALL name {json}` is a call that it makes once, `SAY words` and `IMAGE address` go
into its answer, and so does FACT where it was given it, which is what it was asked for.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.support.model_server import Script, calling

FACT = "The lamp turns once every twelve seconds."
CALL = re.compile(r"CALL (\w+)(?: (\{[^{}]*\}))?")
SAY = re.compile(r"SAY ([^\n]+)")
IMAGE = re.compile(r"IMAGE (\S+)")


def obey(body: dict[str, Any]) -> Script:
    """All calls that it has not made yet; then its answer."""
    context = "\n".join(_texts([body["messages"], body.get("tools") or []]))
    made = {
        call["function"]["name"]
        for message in body["messages"]
        for call in message.get("tool_calls") or ()
    }
    wanted = {name: _read(given) for name, given in CALL.findall(context) if name not in made}
    if wanted and body.get("tools") and body.get("tool_choice") != "none":
        return calling(*wanted.items())
    said = [FACT if FACT in context else "I do not know.", *SAY.findall(context)]
    images = [f"![]({address})" for address in IMAGE.findall(context)]
    return Script(text="\n\n".join([*said, *images]), token_size=64)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            if key not in ("tool_calls", "name"):  # what it said itself is no instruction
                yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _read(given: str) -> dict[str, Any]:
    try:
        return dict(json.loads(given or "{}"))
    except ValueError:
        return {}
