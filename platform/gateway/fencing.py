"""Data blocks of a prompt: text that nobody answers for, between fences that nobody can guess.

A copy of a fence inside the text is defused, so that a block ends where we end it, and what nobody
sees is taken out. Nothing but a user message, or the result of a tool, holds such a block.
"""

import re
import secrets

from prometheus_client import Counter

from observability.metrics import registry
from security.invisible import without_invisible

invisible_characters = Counter(
    "parley_invisible_characters_total",
    "Characters that nobody sees, taken out of what models were given.",
    registry=registry,
)
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
    """Without anything that looks like a fence, ours or an imitation, and without what nobody
    sees."""
    text, hidden = without_invisible(text)
    if hidden:
        invisible_characters.inc(hidden)
    return _IMITATION.sub(r"&lt;\1", text).replace(fence, f"{fence[:4]}…")
