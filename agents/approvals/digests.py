"""What an approval is bound to: one byte more or less of a call is another call."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID


def canonical(value: Any) -> str:
    """JSON with sorted keys and nothing between them; raises ValueError for what has none.

    Kept as text: a database's own JSON writes some numbers in another way.
    """
    try:
        text = json.dumps(
            value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
        text.encode()
    except TypeError as error:
        raise ValueError(str(error)) from None
    return text


def digest_of(tool: str, server: str, arguments: str, user_id: UUID, run_id: UUID) -> str:
    """SHA-256 in hex, of arguments as `canonical` writes them."""
    call: Mapping[str, str] = {
        "tool": tool,
        "server": server,
        "arguments": arguments,
        "user": str(user_id),
        "run": str(run_id),
    }
    return hashlib.sha256(canonical(call).encode()).hexdigest()
