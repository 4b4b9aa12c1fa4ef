"""Sums of roll-ups. Currencies are never added together, and an unknown cost is never nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Self

COUNTED = (
    "calls", "failed", "uncosted", "prompt_tokens", "cached_tokens", "cache_write_tokens",
    "completion_tokens", "reasoning_tokens",
)  # fmt: skip


@dataclass(slots=True)
class Spent:
    """Calls, their tokens and their cost; `uncosted` calls have a cost that nobody knows.

    Cached and cache-write tokens are parts of the prompt, reasoning tokens of the completion.
    """

    calls: int = 0
    failed: int = 0
    uncosted: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    costs: dict[str, Decimal] = field(default_factory=dict)

    def add(self, row: Mapping[str, Any]) -> None:
        """A row of sums in one currency."""
        for name in COUNTED:
            setattr(self, name, getattr(self, name) + (row[name] or 0))
        if row["cost"] is not None and row["currency"]:
            self.add_cost(row["currency"], row["cost"])

    def join(self, other: "Spent") -> None:
        for name in COUNTED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for currency, cost in other.costs.items():
            self.add_cost(currency, cost)

    def add_cost(self, currency: str, cost: Decimal) -> None:
        self.costs[currency] = self.costs.get(currency, Decimal()) + cost

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def cached_share(self) -> float | None:
        """Of what was read, 0 to 1, how much came from a provider's cache; None: of nothing."""
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens else None

    @property
    def money(self) -> list[tuple[str, Decimal]]:
        """The largest sum first; what is free altogether is left out beside what is not."""
        paid = [(currency, cost) for currency, cost in self.costs.items() if cost]
        return sorted(paid or list(self.costs.items())[:1], key=lambda pair: (-pair[1], pair[0]))

    @classmethod
    def sum(cls, parts: "Iterable[Spent]") -> Self:
        found = cls()
        for part in parts:
            found.join(part)
        return found
