"""Usage rows: one for each upstream call, also for those that failed or were stopped."""

import structlog
from django.db import DatabaseError

from gateway.models import Usage
from gateway.types import CallRecord
from observability.db import run_sync

log = structlog.get_logger(__name__)


def record_usage(call: CallRecord) -> Usage:
    return Usage.objects.create(
        turn_id=call.turn_id,
        account_id=call.account_id,
        model_name=call.model,
        endpoint_name=call.endpoint,
        prompt_tokens=call.usage.prompt_tokens,
        cached_tokens=call.usage.cached_tokens,
        completion_tokens=call.usage.completion_tokens,
        reasoning_tokens=call.usage.reasoning_tokens,
        first_token_ms=call.first_token_ms,
        total_ms=call.total_ms,
        outcome=call.outcome,
    )


async def record_call(call: CallRecord) -> None:
    """`record_usage` for the stream: a database connection is held for this one insert only.

    A database that is down is logged and does not take the answer away from its reader.
    """
    try:
        await run_sync(record_usage, call)
    except DatabaseError:
        log.exception("usage_not_recorded", model=call.model, outcome=call.outcome)
