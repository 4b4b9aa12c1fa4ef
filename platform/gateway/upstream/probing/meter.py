"""Calls that test a deployment, each to be a row of usage: no budget pays for them, but an
administrator sees what tests cost."""

import time
from dataclasses import dataclass, field
from typing import Any

from gateway.errors import GatewayError
from gateway.types import CallRecord, Payer, Route, TokenUsage
from gateway.upstream.asking import ask
from gateway.upstream.payloads import token_usage
from gateway.upstream.session import Pool

TESTS = Payer(purpose="probe")


@dataclass(slots=True)
class Meter:
    """Asks, and keeps what was asked of models in `calls`."""

    calls: list[CallRecord] = field(default_factory=list)

    async def ask(self, pool: Pool, route: Route, url: str, body: Any, seconds: float) -> Any:
        began, usage, outcome = time.monotonic(), TokenUsage(), "cancelled"
        try:
            answer = await ask(pool, route, url, body, seconds)
            outcome = "completed"
            if isinstance(answer, dict):
                usage = token_usage(answer.get("usage"))
        except GatewayError as error:
            outcome = error.type
            raise
        else:
            return answer
        finally:
            self.note(route, usage, outcome, began)

    def note(self, route: Route, usage: TokenUsage, outcome: str, began: float) -> None:
        """`began` by the monotonic clock."""
        took_ms = round((time.monotonic() - began) * 1000)
        self.calls.append(
            CallRecord(
                None, TESTS, route.model, route.endpoint, usage, outcome, None, took_ms,
                deployment_id=route.deployment_id, route=route,
            )
        )  # fmt: skip
