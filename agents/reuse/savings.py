"""What reused answers did not cost: a row for each agent and day."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import structlog
from django.db import DatabaseError, connection
from django.db.models import Sum
from django.utils import timezone

from agents.reuse.models import Saving
from agents.reuse.types import Answer
from agents.types import AgentTask
from gateway.metering.prices import Cost, cost_of
from gateway.types import Route, TokenUsage
from observability.db import run_sync

ADD = """
insert into agents_saving (day, agent_id, is_similar, currency, answers, tokens, cost, unpriced)
values (%s, %s, %s, %s, 1, %s, %s, %s)
on conflict (day, agent_id, is_similar, currency) do update
set answers = agents_saving.answers + 1,
    tokens = agents_saving.tokens + excluded.tokens,
    cost = agents_saving.cost + excluded.cost,
    unpriced = agents_saving.unpriced + excluded.unpriced
"""

log = structlog.get_logger(__name__)


async def count(
    task: AgentTask, answer: Answer, routes: Sequence[Route], *, is_similar: bool
) -> None:
    """Never keeps an answer from its reader."""
    saved = saved_by(answer, routes)
    tokens = (answer.prompt_tokens or 0) + (answer.completion_tokens or 0)
    amount, is_unknown = saved.amount or Decimal(), saved.amount is None
    today = timezone.now().date()
    row = [today, task.agent.id, is_similar, saved.currency, tokens, amount, int(is_unknown)]
    try:
        await run_sync(_add, row)
    except DatabaseError:
        log.exception("saving_not_counted", agent=str(task.agent.id))


def saved_by(answer: Answer, routes: Sequence[Route]) -> Cost:
    """What the answer would cost today at the endpoint that gave it; unknown without a price."""
    usage = TokenUsage(answer.prompt_tokens, answer.completion_tokens)
    for route in routes:
        if route.endpoint == answer.endpoint:
            return cost_of(route, usage)
    return Cost(None, "")


def _add(row: list[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(ADD, row)


def savings_since(day: date) -> list[dict[str, Any]]:
    """Of each agent, in each currency: `agent_id`, `is_similar`, `currency`, `answers`, `tokens`,
    `cost` and `unpriced`."""
    rows = Saving.objects.filter(day__gte=day).values("agent_id", "is_similar", "currency")
    sums = {name: Sum(name) for name in ("answers", "tokens", "cost", "unpriced")}
    return [dict(row) for row in rows.annotate(**sums).order_by("-answers", "agent_id", "currency")]
