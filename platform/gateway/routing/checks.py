"""Endpoints whose breaker is open are looked at by the clock, so that nobody's question has to.

The list of models is asked for, which costs a server nothing. One that does not answer is left
alone for longer each time. One that does is asked for one token of a model: its breaker closes when
that comes, and is half open, for a question to try, when it does not.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Literal
from uuid import UUID

import redis
import structlog

from gateway.errors import EndpointTimeout, EndpointUnreachable, GatewayError, UpstreamFailed
from gateway.metering.recording import usage_of
from gateway.metering.writing import insert_rows
from gateway.models import Deployment, Endpoint, Model
from gateway.routing.routes import bare_route, endpoint_route
from gateway.routing.state import closing, key, read_states
from gateway.types import Route
from gateway.upstream.asking import ask
from gateway.upstream.probing.meter import Meter
from gateway.upstream.session import close_pool, current_pool
from observability.doorbell import connection

ANSWER_SECONDS = 3.0
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 120.0  # seconds between two looks at the same endpoint
MARGIN_SECONDS = 10.0  # after the next look: until then no question is sent there
DEAD = (EndpointUnreachable, EndpointTimeout, UpstreamFailed)

Found = Literal["dead", "alive", "well"]

log = structlog.get_logger(__name__)


def check_open_endpoints() -> None:
    """For the clock. Without Redis there is nothing to look at, and nothing fails."""
    ids = list(Endpoint.objects.filter(is_enabled=True).values_list("pk", flat=True))
    ill = [pk for pk, state in read_states(ids).items() if state.breaker != "closed"]
    if not ill:
        return
    try:
        due = _due(ill)
        routes = _routes(due)
        meter = Meter()
        for route, found in zip(routes, asyncio.run(_look_at(routes, meter)), strict=True):
            _note(route, found)
        insert_rows([usage_of(call) for call in meter.calls])
    except redis.RedisError as error:
        log.warning("endpoints_not_checked", reason=str(error))


def _due(ids: Sequence[UUID]) -> list[UUID]:
    pipeline = connection().pipeline(transaction=False)
    for pk in ids:
        pipeline.hget(key(pk), "check_at")
    now = time.time()
    return [pk for pk, at in zip(ids, pipeline.execute(), strict=True) if float(at or 0) <= now]


def _routes(ids: Sequence[UUID]) -> list[Route]:
    """Of each endpoint one, to a chat model there, if it has any."""
    serving = Deployment.objects.filter(
        endpoint__in=ids, is_enabled=True, model__kind=Model.Kind.CHAT
    ).select_related("model", "endpoint")
    bare = {one.endpoint_id: bare_route(one) for one in serving.order_by("-priority")}
    rows = Endpoint.objects.filter(pk__in=ids)
    return [bare.get(row.pk) or endpoint_route(row) for row in rows]


async def _look_at(routes: Sequence[Route], meter: Meter) -> list[Found]:
    """All at once: the clock is kept for twice three seconds in all, whatever is dead."""
    try:
        return await asyncio.gather(*(_look(route, meter) for route in routes))
    finally:
        await close_pool()


async def _look(route: Route, meter: Meter) -> Found:
    """A refusal (no such page, another key) is a sign of life too."""
    with suppress(GatewayError):
        try:
            await ask(current_pool(), route, route.url("models"), seconds=ANSWER_SECONDS)
        except DEAD:
            return "dead"
    if not route.upstream_name:
        return "alive"
    hello = {"role": "user", "content": "hi"}
    body = {"model": route.upstream_name, "messages": [hello], "max_tokens": 1}
    try:
        url = route.url("chat/completions")
        told = await meter.ask(current_pool(), route, url, body, ANSWER_SECONDS)
    except GatewayError:
        return "alive"
    return "well" if isinstance(told, dict) and told.get("choices") else "alive"


def _note(route: Route, found: Found) -> None:
    name, now = key(route.endpoint_id), time.time()
    checks = connection().hincrby(name, "checks", 1)
    log.info("endpoint_checked", endpoint=route.endpoint, found=found, checks=checks)
    if found == "well":
        ask: Callable[..., Any] = connection().execute_command
        for command in closing(route.endpoint_id):
            ask(*command)
        return
    pause = min(FIRST_PAUSE * 2.0 ** (checks - 1), LONGEST_PAUSE)
    reopens_at = now if found == "alive" else now + pause + MARGIN_SECONDS
    connection().hset(name, mapping={"check_at": now + pause, "reopens_at": reopens_at})
