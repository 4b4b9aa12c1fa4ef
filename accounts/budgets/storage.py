"""Budgets of storage: what a person uploads counts for them, their teams and the installation.

Nothing is booked: what counts is what is there, so that it is free again with whatever deletes it.
Uploads that come at once are counted one after the other, behind the locks of their balances.
"""

from collections.abc import Callable, Collection, Iterable
from decimal import Decimal
from uuid import UUID

from django.utils import timezone

from accounts.budgets.models import Budget, BudgetBalance
from accounts.budgets.opening import open_balance
from accounts.budgets.rules import Rule, applicable, load
from accounts.budgets.subjects import name_of
from accounts.budgets.wording import Shortfall
from gateway.errors import BudgetExhausted
from gateway.types import Payer

Scope, Unit = Budget.Scope, Budget.Unit

# Bytes of the files of these people; None: of everybody. Files are a layer above.
CountBytes = Callable[[Collection[UUID] | None], int]
_count_bytes: list[CountBytes] = []


def know_storage(count: CountBytes) -> None:
    """Who keeps files says here how they are counted."""
    _count_bytes[:] = [count]


def require_room(payer: Payer, size: int) -> None:
    """In the transaction that adds a file of this size, before it does. Raises BudgetExhausted."""
    applied = _applied(load(), payer)
    if not applied:
        return
    for budget_id, subject_id in applied:
        open_balance(budget_id, subject_id)
    for balance in _locked(applied):
        budget = balance.budget
        left = budget.limit - used_of(budget.scope, balance.subject_id)
        if budget.is_hard and size > left:
            raise _full(balance, left, size)


def _applied(rules: Iterable[Rule], payer: Payer) -> list[tuple[UUID, UUID]]:
    stored = [rule for rule in rules if rule.unit == Unit.STORAGE]
    return [(rule.id, subject) for rule, subject in applicable(stored, payer)]


def _locked(applied: Collection[tuple[UUID, UUID]]) -> list[BudgetBalance]:
    found = BudgetBalance.objects.select_for_update(of=("self",)).select_related("budget")
    wanted = set(applied)
    rows = found.filter(budget__in=[budget for budget, _subject in applied]).order_by("pk")
    return [row for row in rows.filter(subject_id__in=[subject for _b, subject in applied])
            if (row.budget_id, row.subject_id) in wanted]  # fmt: skip


def used_of(scope: str, subject_id: UUID) -> Decimal:
    """Bytes that count for this subject now."""
    from accounts.models import Membership  # noqa: PLC0415 - which imports the models of budgets

    if not _count_bytes:
        return Decimal(0)
    people: Collection[UUID] | None = [subject_id]
    if scope == Scope.INSTALLATION:
        people = None
    elif scope == Scope.TEAM:
        members = Membership.objects.filter(team_id=subject_id)
        people = list(members.values_list("user_id", flat=True))
    return Decimal(_count_bytes[0](people))


def _full(balance: BudgetBalance, left: Decimal, size: int) -> BudgetExhausted:
    budget = balance.budget
    owner = name_of(budget.scope, balance.subject_id)
    zone = timezone.get_default_timezone()
    short = Shortfall(budget, owner, left, Decimal(size), None, zone)
    return BudgetExhausted(
        short.sentence(),
        name=budget.name,
        owner=owner,
        unit=budget.unit,
        left=left,
        needed=short.needed,
        resets_at=None,
    )
