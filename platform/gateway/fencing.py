"""Data blocks of a prompt: text that nobody answers for, between fences that nobody can guess.

A copy of a fence inside the text is defused, so that a block ends where we end it. Nothing but a
user message holds such a block.
"""

import re
import secrets

_IMITATION = re.compile(r"<(\s*/?\s*data-)", re.IGNORECASE)


def new_fence() -> str:
    """A word that is random for each request."""
    return secrets.token_hex(8)


def data_block(n: int, text: str, fence: str, label: str = "") -> str:
    """The text as block number `n`, headed by its label."""
    label = " ".join(label.split())
    body = f"{label}\n\n{text}" if label else text
    return f'<data-{fence} n="{n}">\n{defused(body, fence)}\n</data-{fence}>'


def defused(text: str, fence: str) -> str:
    """Without anything that looks like a fence, ours or an imitation."""
    return _IMITATION.sub(r"&lt;\1", text).replace(fence, f"{fence[:4]}…")
