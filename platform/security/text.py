"""Text from outside that can be stored and sent."""


def storable(text: str) -> str:
    """The text without NUL characters, which Postgres refuses, and lone surrogates, which UTF-8
    does: a terminal makes them of bytes that are no text."""
    return text.replace("\0", "").encode(errors="ignore").decode()
