"""Migrations that move rows, there and back: none is lost."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection

from accounts.budgets.models import Budget, BudgetBalance, BudgetHold
from gateway.models import Usage
from security.months import first_id

pytestmark = pytest.mark.django_db(transaction=True)


def migrate(app: str, name: str) -> None:
    call_command("migrate", app, name, verbosity=0)


@pytest.fixture
def _latest_afterwards(django_db_blocker):
    yield
    with django_db_blocker.unblock():
        call_command("migrate", verbosity=0)


def kind_of(table: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("select relkind from pg_class where oid = %s::regclass", [table])
        return cursor.fetchone()[0]


def ids() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("select id::text from gateway_usage")
        return {pk for (pk,) in cursor.fetchall()}


@pytest.mark.usefixtures("_latest_afterwards")
def test_usage_in_months_goes_back_into_one_table_and_there_again():
    Usage.objects.create(model_name="small", prompt_tokens=7)
    Usage.objects.create(id=first_id(2025, 3), model_name="small")
    Usage.objects.create(id=uuid4(), model_name="of a foreign key")
    before = ids()
    migrate("gateway", "0008")
    assert (kind_of("gateway_usage"), ids()) == ("r", before)
    migrate("gateway", "0009")
    assert (kind_of("gateway_usage"), ids()) == ("p", before)
    with connection.cursor() as cursor:
        cursor.execute("select tableoid::regclass::text from gateway_usage where prompt_tokens = 7")
        now = datetime.now(UTC)
        assert cursor.fetchone() == (f"gateway_usage_{now.year}_{now.month:02}",)


@pytest.mark.usefixtures("_latest_afterwards")
def test_holds_go_back_to_a_key_of_their_own_but_for_those_of_no_balance():
    budget = Budget.objects.create(name="Spring", scope="installation", unit="tokens", limit=9)
    year = datetime(2025, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC)
    balance = BudgetBalance.objects.create(budget=budget, starts_at=year[0], ends_at=year[1])
    usual = {"amount": 1, "owed": 1, "leased_until": year[1], "ends_at": year[1]}
    kept = BudgetHold.objects.create(call_id=uuid4(), balance=balance, **usual)
    BudgetHold.objects.create(call_id=uuid4(), balance_id=uuid4(), **usual)
    migrate("accounts", "0007")
    with connection.cursor() as cursor:
        cursor.execute("select call_id from accounts_budgethold where id is not null")
        assert cursor.fetchall() == [(kept.call_id,)]
    migrate("accounts", "0008")
    assert BudgetHold.objects.get().call_id == kept.call_id
