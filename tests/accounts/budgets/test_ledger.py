"""Reserve, settle, release: what fits passes, and nothing else does."""

import asyncio
import threading
import time
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction

from accounts.budgets import keeper, ledger
from accounts.budgets.keeper import BUDGETS
from accounts.budgets.models import BudgetBalance, BudgetHold
from accounts.budgets.opening import open_balance
from accounts.budgets.rules import claims_of, load, remembered
from gateway.budget import Hold
from gateway.errors import BudgetExhausted
from gateway.types import Payer, TokenUsage
from tests.accounts.budgets.conftest import (
    assert_sound,
    attempt,
    balance,
    demand,
    together,
    used,
)

pytestmark = pytest.mark.django_db(transaction=True)


def reserve(*asked) -> list[Hold | None]:
    return together(*(BUDGETS.reserve(one) for one in asked))


def test_without_a_budget_nothing_is_asked():
    assert reserve(demand()) == [None]
    assert not BudgetBalance.objects.exists()


def test_what_is_held_is_settled_to_what_was_used(budget):
    spring = budget()
    (hold,) = reserve(demand())
    assert (balance(spring).held, balance(spring).settled) == (100, 0)
    together(BUDGETS.settle(hold, used(), None))
    assert (balance(spring).held, balance(spring).settled) == (0, 30)
    together(BUDGETS.settle(hold, used(), None), BUDGETS.release(hold))
    assert balance(spring).settled == 30, "a second time changes nothing"
    assert not BudgetHold.objects.exists()


def test_a_released_call_costs_nothing(budget):
    spring = budget()
    (hold,) = reserve(demand())
    together(BUDGETS.release(hold))
    assert (balance(spring).held, balance(spring).settled) == (0, 0)


def test_s41_fifty_at_the_edge_exactly_those_that_fit_pass(budget):
    """Security 41: a quota of N and 50 parallel calls at N - 1: exactly one passes."""
    spring = budget(unit="requests", limit=7)
    for _ in range(6):
        assert together(attempt(demand())) == [True]
    assert sum(together(*(attempt(demand()) for _ in range(50)))) == 1
    assert balance(spring).settled == 7
    assert_sound()


def test_fifty_under_way_at_once_hold_no_more_than_there_is(budget):
    spring = budget(limit=1250)
    found = reserve(*(demand() for _ in range(50)))
    assert sum(isinstance(one, BudgetExhausted) for one in found) == 38
    assert balance(spring).held == 1200
    refused = next(one for one in found if isinstance(one, BudgetExhausted))
    assert "Try again when they are done" in refused.detail, "those who hold it may not need it"
    assert (refused.is_held, refused.retry_after) == (True, 5)
    assert balance(spring).refused_at is None
    assert_sound()
    held = [one for one in found if isinstance(one, Hold)]
    together(*(BUDGETS.settle(one, used(), None) for one in held))
    assert (balance(spring).held, balance(spring).settled) == (0, 12 * 30)


def test_all_of_several_budgets_or_none(budget):
    person = uuid4()
    payer = Payer(account_id=person)
    wide, narrow = budget(limit=10_000), budget(scope="user", limit=150, name="Each")
    first, second = reserve(demand(payer), demand(payer))
    assert isinstance(first, Hold) != isinstance(second, Hold)
    assert (balance(wide).held, balance(narrow, person).held) == (100, 100)
    assert_sound()


def test_locks_are_taken_in_one_order_by_all_steps(budget):
    """Many people in shared teams: whoever locks in another order dies of a deadlock."""
    teams = [uuid4() for _ in range(4)]
    made = [
        budget(limit=10**6),
        budget(scope="team", limit=10**6),
        budget(scope="user", limit=10**6),
    ]
    payers = [Payer(uuid4(), team_ids=tuple(teams[n % 4 :] + teams[: n % 4])) for n in range(12)]
    done = together(*(attempt(demand(payer)) for payer in payers * 10))
    assert done == [True] * 120
    assert balance(made[0]).settled == 120 * 30
    assert [balance(made[1], team).settled for team in teams] == [120 * 30] * 4
    assert_sound()


def test_a_refusal_names_the_budget_its_owner_what_is_left_and_when_it_resets(budget):
    spring = budget(limit=99)
    (error,) = reserve(demand())
    assert isinstance(error, BudgetExhausted)
    now = balance(spring)
    assert (error.name, error.unit, error.left, error.needed) == ("Spring", "tokens", 99, 100)
    assert error.resets_at == now.ends_at
    assert now.refused_at is None, "of what nobody has used nobody is told that it is used up"
    assert not error.is_held
    assert "“Spring” of this installation has 99 tokens left" in str(error)
    assert now.ends_at.strftime("%Y-%m-%d") in str(error)


def test_a_soft_budget_counts_and_refuses_nothing(budget):
    spring = budget(limit=10, is_hard=False)
    assert together(attempt(demand()), attempt(demand())) == [True, True]
    assert balance(spring).settled == 60


def test_the_budget_of_somebody_replaces_the_one_for_each(budget, django_user_model):
    alice = django_user_model.objects.create_user("alice@example.org")
    budget(scope="user", limit=50, name="Each")
    hers = budget(scope="user", user=alice, limit=500, name="Alice")
    assert together(attempt(demand(Payer(alice.pk))), attempt(demand(Payer(uuid4())))) == [
        True,
        False,
    ]
    assert balance(hers, alice.pk).settled == 30


def test_what_the_server_did_not_count_is_charged_as_it_was_set_aside(budget):
    spring = budget()
    (hold,) = reserve(demand())
    together(BUDGETS.settle(hold, TokenUsage(), None))
    assert balance(spring).settled == 100


def test_more_than_was_set_aside_is_charged_all_the_same(budget):
    spring = budget(limit=100)
    assert together(attempt(demand(), used(60, 100))) == [True]
    assert balance(spring).settled == 160
    assert together(attempt(demand(completion=0))) == [False]


class TestMoney:
    COST = {"cost": Decimal("0.02"), "prompt_cost": Decimal("0.01"), "currency": "EUR"}

    def test_is_held_and_settled_at_its_price(self, budget):
        spring = budget(unit="money", currency="EUR", limit=Decimal("0.03"))
        (hold,) = reserve(demand(**self.COST))
        assert balance(spring).held == Decimal("0.02")
        assert isinstance(reserve(demand(**self.COST))[0], BudgetExhausted)
        together(BUDGETS.settle(hold, used(), Decimal("0.012")))
        assert balance(spring).settled == Decimal("0.012")

    def test_an_unknown_price_is_refused_and_never_free(self, budget):
        budget(unit="money", currency="EUR", limit=5)
        (error,) = reserve(demand())
        assert isinstance(error, BudgetExhausted)
        assert error.needed is None
        assert "the price of small in it is not known" in str(error)
        dollars = self.COST | {"currency": "USD"}
        assert isinstance(reserve(demand(**dollars))[0], BudgetExhausted), "nor converted"

    def test_an_unknown_price_passes_where_that_is_allowed(self, budget):
        spring = budget(unit="money", currency="EUR", limit=5, allows_unpriced=True)
        assert together(attempt(demand(), cost=None)) == [True]
        dollars = self.COST | {"currency": "USD"}
        assert together(attempt(demand(**dollars), cost=Decimal(9))) == [True]
        assert balance(spring).settled == 0

    def test_a_price_that_is_not_known_at_the_end_counts_as_it_was_set_aside(self, budget):
        spring = budget(unit="money", currency="EUR", limit=5)
        assert together(attempt(demand(**self.COST), cost=None)) == [True]
        assert balance(spring).settled == Decimal("0.02")


def test_who_leaves_while_it_is_reserved_holds_nothing(budget):
    spring = budget()
    together(attempt(demand()))

    async def leave():
        asking = asyncio.ensure_future(BUDGETS.reserve(demand()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        for _ in range(500):
            if not keeper._undoing:
                return
            await asyncio.sleep(0.01)

    together(leave())
    assert (balance(spring).held, balance(spring).settled) == (0, 30)
    assert not BudgetHold.objects.exists()


def test_a_budget_that_is_deleted_meanwhile_takes_its_holds_along(budget):
    spring = budget()
    (hold,) = reserve(demand())
    spring.delete()
    together(BUDGETS.settle(hold, used(), None))
    remembered.forget()
    assert reserve(demand()) == [None]


def test_a_budget_that_is_deleted_while_a_call_reserves_leaves_no_hold_behind(budget):
    """No foreign key guards holds: the reservation was written, but nobody saw it yet."""
    spring = budget()
    claims = claims_of(load(), demand())
    open_balance(spring.pk, claims[0].subject_id)
    call, is_written = uuid4(), threading.Event()

    def delete() -> None:
        is_written.wait(60)
        spring.delete()
        connections.close_all()

    deleting = threading.Thread(target=delete)
    deleting.start()
    with transaction.atomic():
        assert ledger.reserve(call, claims, None, 60).is_taken
        is_written.set()
        _until_somebody_waits()
    deleting.join(60)
    assert not BudgetBalance.objects.exists()
    ledger.guess(call)
    ledger.settle(call, None)
    assert not BudgetHold.objects.exists()


def _until_somebody_waits() -> None:
    for _ in range(3000):
        with connection.cursor() as cursor:
            cursor.execute("select count(*) from pg_locks where not granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_what_a_call_set_aside_is_found_by_one_index_alone(budget):
    """Not by its balance, under which the calls of a whole installation stand."""
    with connection.cursor() as cursor:
        cursor.execute("select indexdef from pg_indexes where tablename = 'accounts_budgethold'")
        ((index,),) = cursor.fetchall()
    assert "(call_id, balance_id)" in index
