"""What a call has to ask before it is made: a budget. Who keeps it is the caller's affair.

Around every upstream call: `reserve` what it may take at most, then `settle` to what it took, or
`release` when it took nothing. Each attempt does so for itself: what an endpoint took before it
broke off is settled, and whoever goes on reserves anew.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol
from uuid import UUID

from gateway.types import Payer, TokenUsage


@dataclass(frozen=True, slots=True)
class Demand:
    """What one upstream call may take. `seconds` is how long it can last at most."""

    payer: Payer
    model: str
    endpoint: str = ""
    deployment_id: UUID | None = None
    turn_id: UUID | None = None
    prompt_tokens: int = 0  # estimated
    completion_tokens: int = 0  # at most; estimated where the request sets no limit
    least_tokens: int | None = None  # an answer may be held to so few where more do not fit
    cost: Decimal | None = None  # of all these tokens; None: the price is unknown
    prompt_cost: Decimal | None = None  # the part that is owed as soon as the call is made
    currency: str = ""
    seconds: float = 3600.0


@dataclass(frozen=True, slots=True)
class Hold:
    """What is set aside for one call. Its usage row has the same `id`, so that a call whose process
    died is settled by its row. `completion_tokens` is how long the answer may get by it."""

    id: UUID
    demand: Demand
    completion_tokens: int | None = None


class Budget(Protocol):
    """All budgets that a call counts for, whoever they belong to."""

    async def reserve(self, demand: Demand) -> Hold | None:
        """Set it aside in every budget that applies, or in none; None where no budget does.

        Raises BudgetExhausted.
        """
        ...

    async def settle(self, hold: Hold, usage: TokenUsage, cost: Decimal | None) -> None:
        """The call took this. What is None counts as estimated: nobody's silence is free.

        Doing it twice changes nothing. Never fails: what cannot be settled is by the clock.
        """
        ...

    async def release(self, hold: Hold) -> None:
        """The call took nothing: it was refused, or never made."""
        ...
