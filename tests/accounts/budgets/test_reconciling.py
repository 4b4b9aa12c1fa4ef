"""Calls that nobody ended: killed at any step, they leave numbers that the clock puts right."""

import os
import subprocess
import sys
from decimal import Decimal

import pytest
from django.db import connection

from accounts.budgets import ledger
from accounts.budgets.keeper import BUDGETS
from accounts.budgets.models import BudgetBalance, BudgetHold
from accounts.budgets.reconciling import reconcile, sweep
from gateway.budget import Hold
from gateway.models import Usage
from tests.accounts.budgets.conftest import assert_sound, balance, demand, together, used

pytestmark = pytest.mark.django_db(transaction=True)

DYING = """
import asyncio, os, sys, uuid
import django
django.setup()
from django.db import connection
from accounts.budgets.keeper import BUDGETS
from gateway.budget import Demand
from gateway.models import Usage
from gateway.types import Payer, TokenUsage

async def call(step):
    asked = Demand(Payer(), "small", prompt_tokens=10, completion_tokens=90)
    hold = await BUDGETS.reserve(asked)
    if step == "reserved":
        os.kill(os.getpid(), 9)
    await asyncio.to_thread(use, hold.id)
    if step == "used":
        os.kill(os.getpid(), 9)
    await BUDGETS.settle(hold, TokenUsage(10, 20), None)
    os.kill(os.getpid(), 9)

def use(pk):
    Usage.objects.create(id=pk, model_name="small", prompt_tokens=10, completion_tokens=20)

asyncio.run(call(sys.argv[1]))
"""


def hold_one(spring) -> Hold:
    (hold,) = together(BUDGETS.reserve(demand()))
    return hold


def end_leases() -> None:
    BudgetHold.objects.update(leased_until="2020-01-01T00:00Z")


@pytest.mark.parametrize(
    ("step", "settled"),
    [("reserved", 10), ("used", 30), pytest.param("settled", 30, marks=pytest.mark.chaos)],
)
def test_a_process_that_is_killed_at_any_step_leaves_no_leak(budget, step, settled):
    """Killed behind the reservation it owes the prompt; behind its usage row, what that says."""
    spring = budget()
    name = connection.settings_dict["NAME"]
    code = DYING.replace("django.setup()", f"django.setup()\nfrom django.conf import settings\n"
                         f"settings.DATABASES['default']['NAME'] = {name!r}\n")  # fmt: skip
    paths = {"PYTHONPATH": os.pathsep.join(["platform", "."])}
    died = subprocess.run(
        [sys.executable, "-c", code, step],
        env=os.environ | paths | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        check=False,
    )
    assert died.returncode == -9, died.stderr.decode()
    assert_sound()
    assert reconcile() == 0, "its lease may be prolonged yet"
    end_leases()
    reconcile()
    assert_sound()
    assert (balance(spring).held, balance(spring).settled) == (0, settled)
    assert reconcile() == 0


def test_a_frozen_process_corrects_what_was_guessed(budget):
    spring = budget()
    hold = hold_one(spring)
    end_leases()
    assert reconcile() == 1
    assert (balance(spring).held, balance(spring).settled) == (0, 10)
    together(BUDGETS.settle(hold, used(), None))
    assert (balance(spring).held, balance(spring).settled) == (0, 30)
    assert not BudgetHold.objects.exists()


def test_a_usage_row_that_comes_late_corrects_what_was_guessed(budget):
    spring = budget(unit="money", currency="EUR", limit=5)
    asked = demand(cost=Decimal("0.2"), prompt_cost=Decimal("0.1"), currency="EUR")
    (hold,) = together(BUDGETS.reserve(asked))
    end_leases()
    reconcile()
    assert balance(spring).settled == Decimal("0.1")
    Usage.objects.create(
        id=hold.id, model_name="small", prompt_tokens=1, cost=Decimal("0.15"), currency="EUR"
    )
    assert reconcile() == 1
    assert balance(spring).settled == Decimal("0.15")


def test_a_call_that_failed_before_its_process_died_is_released(budget):
    spring = budget()
    hold = hold_one(spring)
    Usage.objects.create(id=hold.id, model_name="small", outcome="endpoint_unreachable")
    end_leases()
    reconcile()
    assert (balance(spring).held, balance(spring).settled) == (0, 0)


def test_a_lease_that_is_prolonged_is_left_alone(budget):
    hold = hold_one(budget())
    end_leases()
    ledger.renew([hold.id])
    assert reconcile() == 0


def test_what_is_old_is_swept(budget):
    spring = budget()
    hold_one(spring)
    end_leases()
    reconcile()
    assert sweep() == 0
    BudgetHold.objects.update(ends_at="2020-01-01T00:00Z")
    BudgetBalance.objects.update(starts_at="2019-01-01T00:00Z", ends_at="2020-01-01T00:00Z")
    assert sweep() == 2
    assert not BudgetBalance.objects.exists()
