"""Budgets for the tests, and calls that ask them."""

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from accounts.budgets.keeper import BUDGETS
from accounts.budgets.models import Budget, BudgetBalance, BudgetHold
from accounts.budgets.rules import remembered
from gateway.budget import Demand
from gateway.errors import BudgetExhausted
from gateway.types import Payer, TokenUsage


@pytest.fixture(autouse=True)
def _nothing_remembered():
    remembered.forget()
    yield
    remembered.forget()


@pytest.fixture
def budget(db) -> Callable[..., Budget]:
    """Makes one: 1,000 tokens a month for the installation, or what is said."""

    def make(**fields: Any) -> Budget:
        usual = {"name": "Spring", "scope": "installation", "unit": "tokens", "limit": 1000}
        made = Budget.objects.create(**usual | fields)
        remembered.forget()
        return made

    return make


def demand(
    payer: Payer | None = None, prompt: int = 10, completion: int = 90, **fields: Any
) -> Demand:
    return Demand(
        payer or Payer(), "small", prompt_tokens=prompt, completion_tokens=completion, **fields
    )


def used(prompt: int = 10, completion: int = 20) -> TokenUsage:
    return TokenUsage(prompt, completion)


async def attempt(
    asked: Demand, usage: TokenUsage | None = None, cost: Decimal | None = None
) -> bool:
    """One call from its reservation to its end; whether it was let through."""
    try:
        hold = await BUDGETS.reserve(asked)
    except BudgetExhausted:
        return False
    if hold is not None:
        await asyncio.sleep(0)
        await BUDGETS.settle(hold, usage or used(), cost)
    return True


def together(*coroutines: Coroutine[Any, Any, Any]) -> list[Any]:
    """All at once, on a loop of their own; what they return or raise."""

    async def gather() -> list[Any]:
        return await asyncio.gather(*coroutines, return_exceptions=True)

    return asyncio.run(gather())


def balance(budget: Budget, subject: UUID | None = None) -> BudgetBalance:
    found = BudgetBalance.objects.filter(budget=budget)
    return (found.filter(subject_id=subject) if subject else found).get()


def assert_sound() -> None:
    """What is held is what the holds say; nothing is less than nothing."""
    for one in BudgetBalance.objects.all():
        holds = BudgetHold.objects.filter(balance=one, charged=None)
        assert one.held == sum((hold.amount for hold in holds), Decimal(0))
        assert one.settled >= 0
