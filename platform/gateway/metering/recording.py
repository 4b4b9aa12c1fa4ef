"""Usage rows: one for each upstream call, also for those that failed or were stopped."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError

from gateway.metering.prices import NAMES as PRICES
from gateway.metering.prices import cost_of, owed, with_part
from gateway.metering.writing import LOST, write
from gateway.metrics import count_call
from gateway.models import Usage
from gateway.types import CallRecord, Payer, TokenUsage
from observability.patience import run_patiently
from security.sentences import as_text, stored

LONGEST_SENTENCE = 1000  # characters, as it is kept

log = structlog.get_logger(__name__)


def usage_of(call: CallRecord) -> Usage:
    """The row of a call, not saved yet."""
    return Usage(
        turn_id=call.turn_id,
        account_id=call.payer.account_id,
        agent_id=call.payer.agent_id,
        token_id=call.payer.token_id,
        team_ids=list(call.payer.team_ids),
        purpose=call.payer.purpose,
        model_name=call.model,
        endpoint_name=call.endpoint,
        prompt_tokens=call.usage.prompt_tokens,
        cached_tokens=call.usage.cached_tokens,
        completion_tokens=call.usage.completion_tokens,
        reasoning_tokens=call.usage.reasoning_tokens,
        cache_write_tokens=call.usage.cache_write_tokens,
        accepted_prediction_tokens=call.usage.accepted_prediction_tokens,
        rejected_prediction_tokens=call.usage.rejected_prediction_tokens,
        first_token_ms=call.first_token_ms,
        total_ms=call.total_ms,
        deployment_id=call.deployment_id,
        attempt=call.attempt,
        why=_kept(call.why),
        detail=_kept(call.detail),
        outcome=call.outcome,
        **_estimated(call),
        **_money(call),
        **({"id": call.id} if call.id else {}),
    )


def _kept(text: str) -> str:
    """A sentence as its code, unless a server's own words in it are endless."""
    kept = as_text(stored(text))
    return kept if len(kept) <= LONGEST_SENTENCE else text[:LONGEST_SENTENCE]


def _estimated(call: CallRecord) -> dict[str, Any]:
    estimate = call.estimate
    if estimate is None:
        return {}
    return {
        "estimated_prompt_tokens": estimate.tokens,
        "estimated_completion_tokens": call.heard,
        "estimated_by": estimate.by,
        "prompt_characters": estimate.characters or None,
        "script": estimate.script,
    }


def _money(call: CallRecord) -> dict[str, Any]:
    """The prices of the route, and the cost: of what was counted, else of what was heard. A call
    that took nothing costs nothing, one whose price or tokens nobody knows has no known cost."""
    if call.route is None:
        return {}
    prices = {name: getattr(call.route, name) for name in PRICES}
    if all(prices[name] is None for name in PRICES if name != "currency"):
        prices["currency"] = ""
    took = owed(call.usage, call.estimate.tokens if call.estimate else None, call.heard)
    if took is None:
        return prices | {"cost": Decimal()}
    usage = call.usage
    is_estimated = usage.prompt_tokens is None or (
        usage.completion_tokens is None and bool(call.heard)
    )
    return prices | {"cost": cost_of(call.route, took).amount, "is_estimated": is_estimated}


async def record_call(call: CallRecord) -> None:
    """Store one row, whatever it takes; with those of other calls that end meanwhile.

    A restart of Postgres is waited out, since a call that is not recorded is free of charge. Any
    other trouble is logged and does not take the answer away from its reader.
    """
    count_call(call)
    try:
        await write([usage_of(call)])
    except DatabaseError:
        log.exception("usage_not_recorded", model=call.model, outcome=call.outcome)


async def record_shared_call(call: CallRecord, shares: Mapping[Payer, int]) -> None:
    """`record_call` for one that was made for several payers: counted once, a row for each.

    `shares` say how much of it was whose; each row has that part of the tokens.
    """
    count_call(call)
    rows = [usage_of(part) for part in divided(call, shares)]
    try:
        await write(rows)
    except DatabaseError:
        log.exception("usage_not_recorded", model=call.model, outcome=call.outcome)


def divided(call: CallRecord, shares: Mapping[Payer, int]) -> Iterator[CallRecord]:
    """The call as each payer's own; no token is lost or counted twice, and the price that a request
    has whatever its length is shared like the tokens."""
    tokens = call.usage.prompt_tokens
    parts = _parted(tokens or 0, shares)
    guesses = _parted(call.estimate.tokens if call.estimate else 0, shares)
    whole = sum(shares.values()) or 1
    for (payer, share), part, guess in zip(shares.items(), parts, guesses, strict=True):
        usage = replace(call.usage, prompt_tokens=None if tokens is None else part)
        route, estimate = call.route, call.estimate
        if route is not None:
            route = with_part(route, share, whole)
        if estimate is not None:
            estimate = replace(estimate, tokens=guess)
        yield replace(call, payer=payer, usage=usage, route=route, estimate=estimate)


def _parted(tokens: int, shares: Mapping[Payer, int]) -> Iterator[int]:
    """Whole numbers that add up to it."""
    whole = sum(shares.values())
    seen = given = 0
    for share in shares.values():
        seen += share
        upto = tokens * seen // whole if whole else 0
        yield upto - given
        given = upto


async def record_lost_call(turn_id: UUID, payer: Payer, model: str, endpoint: str) -> None:
    """A row without numbers for a call that nobody saw the end of, unless the turn has one."""
    nothing = TokenUsage()
    if not await run_patiently(has_usage, turn_id):
        await record_call(CallRecord(turn_id, payer, model, endpoint, nothing, LOST, None, None))


def has_usage(turn_id: UUID) -> bool:
    return Usage.objects.filter(turn_id=turn_id).exists()
