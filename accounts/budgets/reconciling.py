"""What the clock does for the ledger: calls that nobody ended are ended here.

A hold whose lease is over belonged to a process that died, or froze. Where the call left its usage
row, that says what it took; else what it owed counts until somebody knows better.
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.utils import timezone

from accounts.budgets import ledger
from accounts.budgets.metrics import budget_steps
from accounts.budgets.models import BudgetBalance, BudgetHold
from accounts.budgets.rules import Charge
from gateway.models import Usage

AT_ONCE = 500
GUESSES_KEPT = timedelta(days=1)
BALANCES_KEPT = timedelta(days=400)


def reconcile() -> int:
    """End the calls whose holders are gone; how many."""
    count = 0
    for call_id, row in _left_behind():
        if row is not None:
            ledger.settle(call_id, _charge_of(row))
            budget_steps.labels("reconciled").inc()
        else:
            ledger.guess(call_id)
            budget_steps.labels("guessed").inc()
        count += 1
    return count


def _left_behind() -> Iterator[tuple[UUID, Usage | None]]:
    """Calls without a living holder, and guessed ones that have left a usage row after all."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select h.call_id, u.id from accounts_budgethold h
            left join gateway_usage u on u.id = h.call_id
            where case when h.charged is null then least(h.leased_until, h.ends_at) < now()
                       else u.id is not null end
            group by 1, 2 limit %s
            """,
            [AT_ONCE],
        )
        found = cursor.fetchall()
    rows = Usage.objects.in_bulk([row_id for _call, row_id in found if row_id])
    for call_id, row_id in found:
        yield call_id, rows.get(row_id)


def _charge_of(row: Usage) -> Charge | None:
    """As `gateway.spending` would have settled it; a call that failed and counted nothing is
    released."""
    counted = row.prompt_tokens is not None or row.completion_tokens is not None
    if not counted and row.outcome not in {"completed", "cancelled"}:
        return None
    prompt = row.estimated_prompt_tokens if row.prompt_tokens is None else row.prompt_tokens
    tokens = (prompt or 0) + (row.completion_tokens or 0)
    return Charge(Decimal(tokens), row.cost, row.currency, Decimal(1))


def sweep() -> int:
    """Guesses that nobody corrects any more, and balances of long ago."""
    now = timezone.now()
    guesses = BudgetHold.objects.exclude(charged=None).filter(ends_at__lt=now - GUESSES_KEPT)
    balances = BudgetBalance.objects.filter(ends_at__lt=now - BALANCES_KEPT, holds=None)
    gone: int = guesses.delete()[0] + balances.delete()[0]
    return gone
