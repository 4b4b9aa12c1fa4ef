"""Budgets are set here; every change is in the audit log."""

import base64
import os
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.budgets.errors import BudgetRefused
from accounts.budgets.models import Budget
from accounts.budgets.rules import remembered
from accounts.models import User
from security import audit
from security.acts import Act
from security.secrets import open_, seal


def make_budget(by: User, fields: dict[str, Any]) -> tuple[Budget, str]:
    """The budget, and the secret of its webhook if it has one. Raises BudgetRefused."""
    return save_budget(by, Budget(**fields), Act.BUDGET_MADE)


def change_budget(by: User, budget: Budget, fields: dict[str, Any]) -> tuple[Budget, str]:
    """The same; a secret is made anew only for another address. Raises BudgetRefused."""
    before = budget.webhook
    for name, value in fields.items():
        setattr(budget, name, value)
    if budget.webhook != before:
        budget.secret = None
    return save_budget(by, budget, Act.BUDGET_CHANGED, fields=sorted(fields))


def save_budget(by: User, budget: Budget, act: Act, **detail: Any) -> tuple[Budget, str]:
    tidy(budget)
    secret = renew_secret(budget)
    try:
        budget.full_clean()
        with transaction.atomic():
            budget.save()
            audit.record(act, budget, by=by, **detail)
    except ValidationError as error:
        raise BudgetRefused(" ".join(error.messages)) from error
    except IntegrityError as error:
        raise BudgetRefused(BudgetRefused.same) from error
    remembered.forget()
    return budget, secret


def delete_budget(by: User, budget: Budget) -> None:
    """With its balances; calls under way go on."""
    with transaction.atomic():
        audit.record(Act.BUDGET_DELETED, budget, by=by)
        budget.delete()
    remembered.forget()


def tidy(budget: Budget) -> None:
    """What means nothing for the unit is empty."""
    if budget.unit == Budget.Unit.STORAGE:
        budget.period = Budget.Period.EVER
    elif budget.period == Budget.Period.EVER:
        budget.period = Budget.Period.MONTH
    if budget.unit != Budget.Unit.MONEY:
        budget.currency = budget.fall_back_to = ""
        budget.allows_unpriced = budget.falls_back = False
    budget.currency = budget.currency.upper()
    if budget.fall_back_to:
        budget.falls_back = True


def renew_secret(budget: Budget) -> str:
    """The new secret, in clear this once; empty where there is none, or it stays."""
    if not budget.webhook:
        budget.secret = None
        return ""
    if budget.secret:
        return ""
    secret = f"whsec_{base64.b64encode(os.urandom(24)).decode()}"
    budget.secret = seal(secret, sealed_for(budget))
    return secret


def secret_of(budget: Budget) -> str:
    return open_(bytes(budget.secret), sealed_for(budget)) if budget.secret else ""


def sealed_for(budget: Budget) -> str:
    return f"budget:{budget.pk}"
