"""Random steps of many calls in any order, some of them at once, some of them cut off: what the
balances say is what the rows say, nothing is taken that is not there, nothing leaks."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.budgets import ledger
from accounts.budgets.models import Budget, BudgetBalance, BudgetHold
from accounts.budgets.opening import open_balance
from accounts.budgets.reconciling import reconcile
from accounts.budgets.rules import Charge, claims_of, load, remembered
from gateway.budget import Demand
from gateway.models import Usage
from gateway.types import Payer

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = [uuid.UUID(int=n) for n in (1, 2, 3)]
TEAMS = [uuid.UUID(int=n) for n in (11, 12)]
STEPS = ("reserve", "settle", "release", "forget", "use and forget", "settle again", "reconcile")

steps = st.lists(
    st.tuples(st.sampled_from(STEPS), st.integers(0, 7), st.integers(0, 2), st.integers(0, 60)),
    min_size=5,
    max_size=40,
)


def reserve(call: uuid.UUID, demand: Demand) -> bool:
    claims = claims_of(load(), demand)
    taken = ledger.reserve(call, claims, None, 3600)
    for claim in taken.missing:
        open_balance(claim.rule.id, claim.subject_id)
    return ledger.reserve(call, claims, None, 3600).is_taken if taken.missing else taken.is_taken


class Model:
    """What should be so: calls under way, and what was charged by each that ended."""

    def __init__(self) -> None:
        self.open: dict[uuid.UUID, Demand] = {}
        self.ended: dict[uuid.UUID, tuple[Demand, int]] = {}
        self.guessed: dict[uuid.UUID, Demand] = {}

    def charged(self, counts) -> int:
        owed = sum(demand.prompt_tokens for demand in self.guessed.values() if counts(demand))
        return owed + sum(tokens for demand, tokens in self.ended.values() if counts(demand))

    def held(self, counts) -> int:
        return sum(
            demand.prompt_tokens + demand.completion_tokens
            for demand in self.open.values()
            if counts(demand)
        )

    def play(self, step: str, which: int, person: int, tokens: int) -> None:
        calls = list(self.open)
        if step == "reserve":
            payer = Payer(PEOPLE[person], team_ids=tuple(TEAMS[: 1 + person % 2]))
            call, asked = (
                uuid.uuid4(),
                Demand(payer, "m", prompt_tokens=which, completion_tokens=40),
            )
            fits = all(
                limit - self.charged(counts) - self.held(counts) >= which + 40
                for limit, counts in self.budgets_of(asked)
            )
            assert reserve(call, asked) == fits
            if fits:
                self.open[call] = asked
        elif step == "settle again" and self.ended:
            ledger.settle(list(self.ended)[which % len(self.ended)], _charge(tokens))
        elif step == "reconcile":
            self._reconcile()
        elif calls:
            self._end(step, calls[which % len(calls)], tokens)

    def budgets_of(self, asked: Demand):
        yield 400, lambda _demand: True
        person, teams = asked.payer.account_id, asked.payer.team_ids
        yield 200, lambda demand: demand.payer.account_id == person
        for team in teams:
            yield 300, lambda demand, team=team: team in demand.payer.team_ids

    def _end(self, step: str, call: uuid.UUID, tokens: int) -> None:
        demand = self.open[call]
        if step == "settle":
            ledger.settle(call, _charge(tokens))
            self.ended[self._close(call)] = demand, tokens
        elif step == "release":
            ledger.settle(call, None)
            self.ended[self._close(call)] = demand, 0
        else:
            BudgetHold.objects.filter(call_id=call).update(leased_until="2020-01-01T00:00Z")
            if step == "use and forget":
                row = {"model_name": "m", "prompt_tokens": tokens}
                Usage.objects.get_or_create(id=call, defaults=row)

    def _close(self, call: uuid.UUID) -> uuid.UUID:
        del self.open[call]
        return call

    def _reconcile(self) -> None:
        dead = set(
            BudgetHold.objects.filter(leased_until="2020-01-01T00:00Z", charged=None).values_list(
                "call_id", flat=True
            )
        )
        rows = dict(Usage.objects.filter(pk__in=dead).values_list("pk", "prompt_tokens"))
        reconcile()
        for call in dead:
            demand = self.open[call]
            self._close(call)
            if call in rows:
                self.ended[call] = demand, rows[call]
            else:
                self.guessed[call] = demand

    def check(self) -> None:
        for balance in BudgetBalance.objects.select_related("budget"):
            counts = _counts(balance)
            assert balance.held == self.held(counts)
            assert balance.settled == self.charged(counts)
            rows = BudgetHold.objects.filter(balance=balance, charged=None)
            assert balance.held == sum((hold.amount for hold in rows), Decimal(0))


def _counts(balance: BudgetBalance):
    subject = balance.subject_id
    if balance.budget.scope == "user":
        return lambda demand: demand.payer.account_id == subject
    if balance.budget.scope == "team":
        return lambda demand: subject in demand.payer.team_ids
    return lambda _demand: True


def _charge(tokens: int) -> Charge:
    return Charge(Decimal(tokens), None, "", Decimal(1))


def _fresh() -> None:
    Usage.objects.all().delete()
    Budget.objects.all().delete()
    for scope, limit in (("installation", 400), ("user", 200), ("team", 300)):
        Budget.objects.create(name=scope, scope=scope, limit=limit, unit="tokens")
    remembered.forget()


@settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(played=steps)
def test_any_order_of_steps_leaves_balances_equal_to_the_rows(played, db):
    _fresh()
    model = Model()
    for step in played:
        model.play(*step)
    model.check()
    for call in list(model.open):
        ledger.settle(call, None)
    assert not BudgetHold.objects.filter(charged=None).exists()
    assert not BudgetBalance.objects.exclude(held=0).exists()


def test_steps_at_once_from_eight_connections_never_overshoot_and_leak_nothing(db):
    """Each worker takes calls and ends them in some way; a balance never holds more than there is,
    and in the end all that was settled is there, to the token."""
    _fresh()
    for pk, scope in Budget.objects.values_list("pk", "scope"):
        for subject in {"user": PEOPLE, "team": TEAMS}.get(scope, [uuid.UUID(int=0)]):
            open_balance(pk, subject)

    def work(seed: int) -> int:
        settled = 0
        try:
            for n in range(25):
                person = (seed + n) % 3
                payer = Payer(PEOPLE[person], team_ids=tuple(TEAMS[:: 1 if seed % 2 else -1]))
                call = uuid.uuid4()
                if not reserve(call, Demand(payer, "m", prompt_tokens=5, completion_tokens=20)):
                    continue
                ending = (seed * 7 + n) % 4
                if ending == 3:
                    ledger.guess(call)
                ledger.settle(call, None if ending == 0 else _charge(1))
                settled += ending != 0
            return settled
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        settled = sum(pool.map(work, range(8)))
    whole = BudgetBalance.objects.get(budget__scope="installation")
    assert (whole.settled, whole.held) == (settled, 0)
    people = BudgetBalance.objects.filter(budget__scope="user")
    assert sum(one.settled for one in people) == settled
    assert all(one.settled == settled for one in BudgetBalance.objects.filter(budget__scope="team"))
    assert not BudgetHold.objects.exists()
    assert all(one.settled + one.held <= one.budget.limit for one in
               BudgetBalance.objects.select_related("budget"))  # fmt: skip
