"""Text from outside that can be stored and sent."""

import re

_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


def storable_json(text: str) -> str:
    """JSON without escaped NUL characters, which Postgres refuses; a backslash that is written
    before the letters u0000 is a backslash."""
    return _NUL.sub(r"\1", text) if "\\u0000" in text else text


def storable(text: str) -> str:
    """The text without NUL characters, which Postgres refuses, and lone surrogates, which UTF-8
    does: a terminal makes them of bytes that are no text."""
    return text.replace("\0", "").encode(errors="ignore").decode()
