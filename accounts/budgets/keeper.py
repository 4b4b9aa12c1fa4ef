"""The budgets that calls of the gateway ask: `BUDGETS` goes along with every payer."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC
from decimal import Decimal
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import psycopg
from django.db import Error, OperationalError

from accounts.budgets import ledger
from accounts.budgets.ledger import Length, Standing, Taken
from accounts.budgets.metrics import budget_steps
from accounts.budgets.models import Budget
from accounts.budgets.opening import open_balance
from accounts.budgets.rules import Charge, Claim, charge_of, claims_of, remembered
from accounts.budgets.subjects import name_of, zone_of
from accounts.budgets.wording import Shortfall
from gateway.budget import Demand, Hold
from gateway.errors import BudgetExhausted
from gateway.types import TokenUsage
from observability.patience import run_patiently
from security.ids import new_id

log = logging.getLogger(__name__)

TRIES = 3  # of a reservation for which balances have to be opened, or whose budget has just gone
DEADLOCK = "40P01"


class Ledger:
    """`gateway.budget.Budget` on Postgres.

    Where no budget is defined nothing is asked: that is remembered for two seconds.
    """

    async def reserve(self, demand: Demand) -> Hold | None:
        rules = await remembered.current()
        claims = claims_of(rules, demand) if rules else []
        if not claims:
            return None
        call_id = new_id()
        hold = Hold(call_id, demand)
        reserving = asyncio.ensure_future(_reserve(call_id, demand, claims))
        try:
            taken = await asyncio.shield(reserving)
        except asyncio.CancelledError:
            _undo(self._give_back(hold, reserving))
            raise
        if taken is None:
            return None
        _leases().hold(call_id)
        budget_steps.labels("reserved").inc()
        return replace(hold, completion_tokens=taken.tokens)

    async def settle(self, hold: Hold, usage: TokenUsage, cost: Decimal | None) -> None:
        await self._end(hold, "settled", charge_of(hold.demand, usage, cost))

    async def release(self, hold: Hold) -> None:
        await self._end(hold, "released", None)

    async def _give_back(self, hold: Hold, reserving: asyncio.Future[Taken | None]) -> None:
        """What was taken for somebody who has left before the call was made."""
        with suppress(Exception):
            if await reserving is not None:
                await self.release(hold)

    async def _end(self, hold: Hold, step: str, charge: Charge | None) -> None:
        """Postgres being away is waited out; the lease goes on meanwhile."""
        try:
            await _settle(hold.id, charge)
        except Error:
            log.exception("call %s is left to the clock", hold.id)
            step = "failed"
        finally:
            _leases().let_go(hold.id)
        budget_steps.labels(step).inc()


BUDGETS = Ledger()


async def _reserve(call_id: UUID, demand: Demand, claims: Sequence[Claim]) -> Taken | None:
    """At once, as nearly always; whatever else there is to do and to say is done in a thread."""
    if all(claim.amount is not None for claim in claims):
        with suppress(psycopg.Error):
            asked = (call_id, claims, demand.turn_id, demand.seconds, _length_of(claims, demand))
            taken = await ledger.reserve_at_once(*asked)
            if taken.is_taken:
                return taken
    return await run_patiently(reserve_now, call_id, demand)


async def _settle(call_id: UUID, charge: Charge | None) -> None:
    try:
        await ledger.settle_at_once(call_id, charge)
    except psycopg.Error:
        await run_patiently(_repeated, ledger.settle, call_id, charge)


def reserve_now(call_id: UUID, demand: Demand) -> Taken | None:
    """For threads. None where no budget applies any more. Raises BudgetExhausted."""
    for number in range(TRIES):
        rules = remembered.refresh() if number else remembered.known
        claims = claims_of(rules, demand)
        if not claims:
            return None
        if unpriced := [claim for claim in claims if claim.amount is None]:
            _raise_unpriced(unpriced, demand)
            continue
        length = _length_of(claims, demand)
        asked = (call_id, claims, demand.turn_id, demand.seconds, length)
        taken: Taken = _repeated(ledger.reserve, *asked)
        if taken.is_taken:
            return taken
        if not taken.missing:
            _raise_short([one for one in taken.standings if not one.fits])
        for claim in taken.missing:
            open_balance(claim.rule.id, claim.subject_id)
    raise OperationalError("the budgets changed while a call asked for them")


def _length_of(claims: Iterable[Claim], demand: Demand) -> Length:
    """Where a cheaper model may answer at length, it is not this one that is cut short."""
    most, least = demand.completion_tokens, demand.least_tokens
    if least is None or any(claim.rule.falls_back for claim in claims):
        return Length(most, most)
    return Length(most, min(least, most))


def _repeated(step: Callable[..., Any], *args: Any) -> Any:
    """Once more when Postgres broke a deadlock, as with a budget that is just being deleted."""
    try:
        return step(*args)
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") != DEADLOCK:
            raise
        return step(*args)


def _raise_short(standings: Sequence[Standing]) -> None:
    """By the first budget that does not fit, those last that only calls under way are in the way
    of; not for one that has just been deleted."""
    ledger.note_refusal([one.balance_id for one in standings])
    found = Budget.objects.in_bulk([one.budget_id for one in standings])
    for one in sorted(standings, key=lambda one: one.is_held):
        if budget := found.get(one.budget_id):
            owner = name_of(budget.scope, one.subject_id)
            zone = zone_of(budget.scope, one.subject_id)
            short = Shortfall(
                budget, owner, one.left, one.amount, one.resets_at, zone, is_held=one.is_held
            )
            raise _exhausted(found.values(), short)


def _raise_unpriced(claims: Sequence[Claim], demand: Demand) -> None:
    found = Budget.objects.in_bulk([claim.rule.id for claim in claims])
    for claim in claims:
        if budget := found.get(claim.rule.id):
            owner = name_of(budget.scope, claim.subject_id)
            short = Shortfall(budget, owner, Decimal(0), None, None, UTC, demand.model)
            raise _exhausted(found.values(), short)


def _exhausted(budgets: Iterable[Budget], shortfall: Shortfall) -> BudgetExhausted:
    """Falling back helps only where every budget that is short allows it."""
    budget_steps.labels("refused").inc()
    falls_back = all(budget.falls_back for budget in budgets)
    return BudgetExhausted(
        shortfall.sentence(),
        name=shortfall.budget.name,
        owner=shortfall.owner,
        unit=shortfall.budget.unit,
        left=shortfall.left,
        needed=shortfall.needed,
        resets_at=shortfall.resets_at,
        is_held=shortfall.is_held,
        falls_back=falls_back,
        fall_back_to=shortfall.budget.fall_back_to if falls_back else "",
    )


_undoing: set[asyncio.Task[None]] = set()


def _undo(giving_back: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(giving_back)
    _undoing.add(task)
    task.add_done_callback(_undoing.discard)


class Leases:
    """The calls of one event loop; as long as there are some, their leases are prolonged."""

    def __init__(self) -> None:
        self._calls: set[UUID] = set()
        self._task: asyncio.Task[None] | None = None

    def hold(self, call_id: UUID) -> None:
        self._calls.add(call_id)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep(), name="budget-leases")

    def let_go(self, call_id: UUID) -> None:
        self._calls.discard(call_id)
        if not self._calls and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(ledger.LEASE_SECONDS / 3)
            try:
                await run_patiently(ledger.renew, list(self._calls))
            except Error:
                log.exception("the leases of %s calls were not prolonged", len(self._calls))


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Leases] = WeakKeyDictionary()


def _leases() -> Leases:
    return _by_loop.setdefault(asyncio.get_running_loop(), Leases())
