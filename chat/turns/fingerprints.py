"""What makes two requests the same question: an idempotency key stands for one of them only."""

from hashlib import sha256

import orjson


def fingerprint(*asked: object) -> str:
    """Equal for equal values, in 64 characters; ids and texts alike, None is a value of its own."""
    return sha256(orjson.dumps(asked, default=str)).hexdigest()
