"""What is left of budgets, for whoever may know."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone

from accounts.budgets.models import EVERYBODY, Budget, BudgetBalance
from accounts.budgets.periods import FOREVER, Period, bounds
from accounts.budgets.rules import applicable, load
from accounts.budgets.storage import used_of
from accounts.budgets.subjects import names_of, zone_of
from accounts.models import ApiToken, Membership, User
from gateway.types import Payer

Scope, Unit = Budget.Scope, Budget.Unit
NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Quota:
    """A budget as it stands for one subject; `held` is what calls under way may still take."""

    budget: Budget
    subject_id: UUID
    owner: str
    used: Decimal
    held: Decimal
    starts_at: datetime | None
    resets_at: datetime | None

    @property
    def left(self) -> Decimal:
        return max(NOTHING, self.budget.limit - self.used - self.held)

    @property
    def share(self) -> float:
        """Of the limit, used; 1 is all of it."""
        return float(self.used / self.budget.limit) if self.budget.limit else 1.0

    @property
    def is_near(self) -> bool:
        return self.share * 100 >= self.budget.warn_at

    @property
    def is_reached(self) -> bool:
        return self.used >= self.budget.limit


def quotas_of(user: User) -> list[Quota]:
    """What binds a person: their own budgets, those of their tokens, those of teams they own."""
    owned = user.memberships.filter(role=Membership.Role.OWNER, team__is_everyone=False)
    tokens = ApiToken.objects.filter(user=user, revoked_at=None).order_by("pk")
    token_ids = tokens.values_list("pk", flat=True)
    return _quotas(
        [
            Payer(user.pk, team_ids=tuple(owned.values_list("team_id", flat=True))),
            *(Payer(token_id=token_id) for token_id in token_ids),
        ],
        leaves_out=(Scope.INSTALLATION,),
    )


def quotas_of_team(team_id: UUID) -> list[Quota]:
    """For callers who know that this may be shown."""
    return _quotas([Payer(team_ids=(team_id,))], leaves_out=(Scope.INSTALLATION,))


def quotas_of_installation() -> list[Quota]:
    return _quotas([Payer()])


def quotas_of_budget(budget: Budget) -> list[Quota]:
    """Every subject that has used some of it in this period, the nearest to the limit first."""
    if budget.unit != Unit.STORAGE:
        now = budget.balances.filter(ends_at__gt=timezone.now()).order_by("-settled")[:200]
        balances = {row.subject_id: row for row in now}
    else:
        balances = {row.subject_id: row for row in budget.balances.all()[:200]}
    fixed = budget.subject_id or (EVERYBODY if budget.scope == Scope.INSTALLATION else None)
    subjects = [fixed] if fixed else list(balances)
    owners = names_of(budget.scope, subjects)
    return [_quota(budget, one, owners.get(one, ""), balances.get(one)) for one in subjects]


def _quotas(payers: Iterable[Payer], leaves_out: Iterable[str] = ()) -> list[Quota]:
    rules = [rule for rule in load() if rule.scope not in leaves_out]
    pairs = list(dict.fromkeys(
        (rule.id, subject) for payer in payers for rule, subject in applicable(rules, payer)
    ))  # fmt: skip
    if not pairs:
        return []
    budgets = Budget.objects.in_bulk([budget_id for budget_id, _subject in pairs])
    found = BudgetBalance.objects.filter(
        budget__in=budgets, subject_id__in=[subject for _b, subject in pairs],
        ends_at__gt=timezone.now(),
    )  # fmt: skip
    balances = {(row.budget_id, row.subject_id): row for row in found}
    owners: dict[str, dict[UUID, str]] = {}
    for scope in {budget.scope for budget in budgets.values()}:
        ids = [subject for budget_id, subject in pairs if budgets[budget_id].scope == scope]
        owners[scope] = names_of(scope, ids)
    return [
        _quota(budget, subject, owners[budget.scope].get(subject, ""), balances.get((pk, subject)))
        for pk, subject in pairs
        if (budget := budgets.get(pk)) is not None
    ]


def _quota(budget: Budget, subject: UUID, owner: str, balance: BudgetBalance | None) -> Quota:
    if budget.unit == Unit.STORAGE:
        return Quota(budget, subject, owner, used_of(budget.scope, subject), NOTHING, None, None)
    if balance is not None:
        used, held = balance.settled, balance.held
        starts_at, ends_at = balance.starts_at, balance.ends_at
    else:
        used = held = NOTHING
        period = cast("Period", budget.period)
        starts_at, ends_at = bounds(period, zone_of(budget.scope, subject), timezone.now())
    return Quota(
        budget, subject, owner, used, held, starts_at, None if ends_at >= FOREVER else ends_at
    )


def may(user: Any, act: str) -> bool:
    """Whether an administrator may `view`, `add`, `change` or `delete` budgets."""
    if not isinstance(user, User) or not (user.is_active and user.is_staff):
        return False
    return user.has_perm(f"accounts.{act}_budget")


def budgets_for(user: Any, act: str) -> "QuerySet[Budget]":
    """All of them to whom they are open; raises Http404."""
    if not may(user, act):
        raise Http404
    return Budget.objects.all()
