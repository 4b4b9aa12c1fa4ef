"""The helpers of an agent as its row holds them."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from agents.types import Helper


def helpers_in(said: Iterable[Mapping[str, Any]]) -> tuple[Helper, ...]:
    """Of the column, in its order."""
    return tuple(
        Helper(UUID(one["agent"]), one["way"], one.get("when", ""))
        for one in said
        if one.get("way") in ("ask", "hand_over")
    )
