"""The ledger: what is held and settled in every balance, one transaction for each step.

Each step is one statement. It locks the balances that it changes in the order of their ids and
reads them as they are behind the lock, so that what does not fit is never taken, and no two steps
wait for each other. What a hold took from a balance goes back to it in the statement that removes
the hold: a process may die at any point, and the numbers still say the same as the rows.

Reserving and settling do not wait for the disk, since all calls of an installation meet in one row,
and would wait for it one after the other. A Postgres that crashes loses less than a second of them:
what was settled is settled again by its usage row, which did wait.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.budgets.rules import Charge, Claim
from observability.postgres import direct
from observability.postgres.prepared import prepared

LEASE_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Standing:
    """A balance as the step found it."""

    balance_id: UUID
    budget_id: UUID
    subject_id: UUID
    amount: Decimal
    left: Decimal
    held: Decimal  # by other calls, which may give some of it back
    is_hard: bool
    resets_at: datetime

    @property
    def fits(self) -> bool:
        return not self.is_hard or self.amount <= self.left

    @property
    def is_held(self) -> bool:
        """Whether it would fit without the calls under way."""
        return self.amount <= self.left + self.held


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether all of it was taken, and how many `tokens` the answer may get by that. If not, where
    each balance stood; `missing` are those of the claims that have none for this time yet."""

    is_taken: bool
    tokens: int = 0
    standings: Sequence[Standing] = ()
    missing: Sequence[Claim] = ()


@dataclass(frozen=True, slots=True)
class Length:
    """Tokens that an answer may take, and how few of them are still worth the call."""

    most: int
    least: int


ANY_LENGTH = Length(0, 0)


def reserve(
    call_id: UUID,
    claims: Sequence[Claim],
    turn_id: UUID | None,
    seconds: float,
    answer: Length = ANY_LENGTH,
) -> Taken:
    """Set every amount aside, or none of them. The same call twice takes once.

    The amounts are for an answer of `answer.most` tokens; where that does not fit, for a shorter
    one that does, but for none of fewer than `answer.least`.
    """
    with prepared() as cursor:
        cursor.execute(_RESERVE, _reserving(call_id, claims, turn_id, seconds, answer))
        return _taken(cursor.fetchall(), claims)


async def reserve_at_once(
    call_id: UUID,
    claims: Sequence[Claim],
    turn_id: UUID | None,
    seconds: float,
    answer: Length = ANY_LENGTH,
) -> Taken:
    """The same from an event loop; raises psycopg.Error (`observability.postgres.direct`)."""
    values = _reserving(call_id, claims, turn_id, seconds, answer)
    return _taken(await direct.fetch(_RESERVE, values), claims)


def _reserving(
    call_id: UUID, claims: Sequence[Claim], turn_id: UUID | None, seconds: float, answer: Length
) -> dict[str, Any]:
    return {
        "call": call_id,
        "turn": turn_id,
        "lease": LEASE_SECONDS,
        "seconds": seconds,
        "budgets": [claim.rule.id for claim in claims],
        "subjects": [claim.subject_id for claim in claims],
        "amounts": [claim.amount or Decimal(0) for claim in claims],
        "owed": [claim.owed for claim in claims],
        "count": len(claims),
        "tokens": answer.most,
        "least": answer.least,
    }


def _taken(rows: Sequence[Any], claims: Sequence[Claim]) -> Taken:
    *_nothing, is_taken, allowed = rows[0]
    if is_taken:
        return Taken(True, allowed)
    standings = [Standing(*row[:-2]) for row in rows if row[0]]
    found = {(one.budget_id, one.subject_id) for one in standings}
    missing = [claim for claim in claims if (claim.rule.id, claim.subject_id) not in found]
    return Taken(False, 0, standings, missing)


# An amount is what is owed for the prompt, and equal parts for each token of the answer.
_PART = """
    case when {tokens} = %(tokens)s::int then amount
         else trunc(owed + (amount - owed) * {tokens} / %(tokens)s::int, 12) end
"""
_RESERVE = f"""
    with wanted as (
        select * from unnest(%(budgets)s::uuid[], %(subjects)s::uuid[], %(amounts)s::numeric[],
                             %(owed)s::numeric[]) as w(budget_id, subject_id, amount, owed)
    ), due as (
        select b.id, b.budget_id, b.subject_id, w.amount, w.owed,
               r."limit" - b.settled - b.held as leftover, b.held, r.is_hard, b.ends_at
        from wanted w
        join accounts_budget r on r.id = w.budget_id and r.is_enabled
        join accounts_budgetbalance b
             on b.budget_id = w.budget_id and b.subject_id = w.subject_id and b.ends_at > now()
        order by b.id
        for update of b
    ), verdict as (
        select count(*) = %(count)s::int
               and bool_and(not is_hard or {_PART.format(tokens="%(least)s::int")} <= leftover)
               or exists (select from accounts_budgethold where call_id = %(call)s::uuid)
               as is_taken,
               greatest(%(least)s::int, least(%(tokens)s::int, floor(min(
                   (leftover - owed) / (amount - owed) * %(tokens)s::int
               ) filter (where is_hard and amount > owed and amount > leftover))))::int as allowed
        from due
    ), kept as (
        insert into accounts_budgethold (call_id, balance_id, turn_id, amount, owed,
                                         leased_until, ends_at)
        select %(call)s::uuid, due.id, %(turn)s::uuid,
               {_PART.format(tokens="allowed")}, due.owed,
               now() + %(lease)s::float8 * interval '1 second',
               now() + %(seconds)s::float8 * interval '1 second'
        from due, verdict where is_taken
        on conflict do nothing
        returning balance_id, amount
    ), held as (
        update accounts_budgetbalance b set held = b.held + kept.amount
        from kept where b.id = kept.balance_id
    )
    select due.id, budget_id, subject_id, {_PART.format(tokens="%(least)s::int")},
           leftover, held, is_hard, ends_at, is_taken, allowed
    from verdict left join due on not is_taken, set_config('synchronous_commit', 'off', true)
"""  # noqa: S608 - our own words


def settle(call_id: UUID, charge: Charge | None) -> None:
    """The call took this; without a charge it took nothing. Its holds are gone, so that a second
    time changes nothing. What was guessed of it meanwhile is put right."""
    _end(_SETTLE, call_id, charge)


async def settle_at_once(call_id: UUID, charge: Charge | None) -> None:
    """The same from an event loop; raises psycopg.Error."""
    await direct.fetch(_SETTLE, _ending(call_id, charge))


def guess(call_id: UUID) -> None:
    """Nobody saw how the call ended: it took what it owed. The hold stays, so that a late word
    corrects it."""
    _end(_GUESS, call_id, None)


def _end(statement: str, call_id: UUID, charge: Charge | None) -> None:
    with prepared() as cursor:
        cursor.execute(statement, _ending(call_id, charge))


def _ending(call_id: UUID, charge: Charge | None) -> dict[str, Any]:
    return {
        "call": call_id,
        "nothing": charge is None,
        "tokens": charge and charge.tokens,
        "money": charge and charge.money,
        "currency": charge.currency if charge else "",
        "requests": charge and charge.requests,
    }


_LOCKED = """
    locked as (
        select b.id from accounts_budgetbalance b
        where b.id in (select balance_id from accounts_budgethold where call_id = %(call)s::uuid)
        order by b.id
        for update
    ), behind as (
        select count(*) from locked
    )
"""
_SETTLE = f"""
    with {_LOCKED}, freed as (
        delete from accounts_budgethold h using behind
        where h.call_id = %(call)s::uuid
        returning h.balance_id, h.amount, h.charged
    )
    update accounts_budgetbalance b
    set held = b.held - case when freed.charged is null then freed.amount else 0 end,
        settled = b.settled - coalesce(freed.charged, 0) + case
            when %(nothing)s::bool then 0
            when r.unit = 'tokens' then coalesce(%(tokens)s::numeric, freed.amount)
            when r.unit = 'requests' then %(requests)s::numeric
            when r.currency = %(currency)s::text then coalesce(%(money)s::numeric, freed.amount)
            else freed.amount end
    from freed, accounts_budget r, set_config('synchronous_commit', 'off', true)
    where b.id = freed.balance_id and r.id = b.budget_id
"""  # noqa: S608 - our own words
_GUESS = f"""
    with {_LOCKED}, guessed as (
        update accounts_budgethold h set charged = h.owed from behind
        where h.call_id = %(call)s::uuid and h.charged is null
        returning h.balance_id, h.amount, h.owed
    )
    update accounts_budgetbalance b
    set held = b.held - guessed.amount, settled = b.settled + guessed.owed
    from guessed where b.id = guessed.balance_id
"""  # noqa: S608 - our own words


def renew(calls: Collection[UUID], lease: float = LEASE_SECONDS) -> None:
    """These calls are still being made. Waits for nobody: what is locked is just being ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            update accounts_budgethold
            set leased_until = now() + %s * interval '1 second'
            where (call_id, balance_id) in (
                select call_id, balance_id from accounts_budgethold
                where call_id = any(%s) and charged is null
                for update skip locked)
            """,
            [lease, list(calls)],
        )


def note_refusal(balances: Collection[UUID]) -> None:
    """The first time in each that was nearly used up: that is when alerts are due. A large request
    that is refused early, or for calls under way, says little about a budget."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            update accounts_budgetbalance set refused_at = now()
            where id in (select b.id from accounts_budgetbalance b
                         join accounts_budget r on r.id = b.budget_id
                         where b.id = any(%s) and b.refused_at is null
                           and b.settled * 100 >= r."limit" * r.warn_at
                         order by b.id for update of b skip locked)
            """,
            [list(balances)],
        )


def last_end(budget_id: UUID, subject_id: UUID) -> datetime | None:
    """When the latest period of these ends or has ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select max(ends_at) from accounts_budgetbalance"
            " where budget_id = %s and subject_id = %s",
            [budget_id, subject_id],
        )
        ended: datetime | None = cursor.fetchone()[0]
        return ended
