"""Balances for a new period, made when the first call of it comes."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.budgets.ledger import last_end
from accounts.budgets.models import Budget, BudgetBalance
from accounts.budgets.periods import bounds
from accounts.budgets.subjects import zone_of


@transaction.atomic
def open_balance(budget_id: UUID, subject_id: UUID, now: datetime | None = None) -> None:
    """Unless there is one for this time, or the budget is gone. Of those that come at once each
    waits for the one before, and sees what it made."""
    budget = Budget.objects.select_for_update(no_key=True).filter(pk=budget_id).first()
    if budget is None:
        return
    now = timezone.now() if now is None else now
    ended = last_end(budget_id, subject_id)
    if ended is not None and ended > now:
        return
    zone = zone_of(budget.scope, subject_id)
    starts_at, ends_at = bounds(budget.period, zone, now, ended)  # type: ignore[arg-type]
    BudgetBalance.objects.create(
        budget=budget, subject_id=subject_id, starts_at=starts_at, ends_at=ends_at
    )
