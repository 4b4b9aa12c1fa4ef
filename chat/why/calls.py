"""Every call to an endpoint that was made for an answer, and what they cost together."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from accounts.models import User
from agents.usage.audience import may_see_all
from chat.models import Turn
from chat.why.types import Attempt
from gateway.metering.models import PURPOSES, Usage
from security.ids import earlier
from security.sentences import said_text

MOST = 60
CLOCKS_APART = timedelta(hours=1)


def list_attempts(user: User, turn: Turn | None) -> tuple[Attempt, ...]:
    """In their order, for who asked and for who may see everybody's usage; for others none."""
    if turn is None or not (turn.requested_by_id == user.pk or may_see_all(user)):
        return ()
    since = earlier(turn.pk, CLOCKS_APART)  # the table has a partition for each month
    rows = Usage.objects.filter(turn_id=turn.pk, id__gte=since).order_by("id")
    return tuple(_attempt(row) for row in rows[:MOST])


def add_up(attempts: Sequence[Attempt]) -> tuple[tuple[Decimal, str], ...]:
    """What is known of their cost, each currency by itself."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for one in attempts:
        if one.cost is not None and one.currency:
            sums[one.currency] += one.cost
    return tuple((cost, currency) for currency, cost in sorted(sums.items()))


def _attempt(row: Usage) -> Attempt:
    return Attempt(
        purpose=str(PURPOSES.get(row.purpose, row.purpose)),
        model=row.model_name,
        endpoint=row.endpoint_name,
        attempt=row.attempt,
        outcome=row.outcome,
        is_completed=row.outcome == "completed",
        why=said_text(row.why),
        detail=said_text(row.detail),
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        cached_tokens=row.cached_tokens,
        first_token_ms=row.first_token_ms,
        total_ms=row.total_ms,
        cost=row.cost,
        currency=row.currency,
    )
