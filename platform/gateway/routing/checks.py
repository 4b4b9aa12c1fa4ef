"""Endpoints whose breaker is open are looked at by the clock, so that nobody's question has to.

One that answers is asked again at once: its breaker is half open. One that does not is left alone
for longer each time. The list of models is asked for, which costs a server nothing.
"""

import asyncio
import time
from collections.abc import Sequence
from uuid import UUID

import redis
import structlog

from gateway.errors import EndpointTimeout, EndpointUnreachable, GatewayError, UpstreamFailed
from gateway.models import Endpoint
from gateway.routing.routes import endpoint_route
from gateway.routing.state import key, read_states
from gateway.types import Route
from gateway.upstream.asking import ask
from gateway.upstream.session import close_pool, current_pool
from observability.doorbell import connection

ANSWER_SECONDS = 3.0
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 120.0  # seconds between two looks at the same endpoint
MARGIN_SECONDS = 10.0  # after the next look: until then no question is sent there
DEAD = (EndpointUnreachable, EndpointTimeout, UpstreamFailed)

log = structlog.get_logger(__name__)


def check_open_endpoints() -> None:
    """For the clock. Without Redis there is nothing to look at, and nothing fails."""
    ids = list(Endpoint.objects.filter(is_enabled=True).values_list("pk", flat=True))
    ill = [pk for pk, state in read_states(ids).items() if state.breaker != "closed"]
    if not ill:
        return
    try:
        due = _due(ill)
        routes = [endpoint_route(row) for row in Endpoint.objects.filter(pk__in=due)]
        for route, is_alive in zip(routes, asyncio.run(_look_at(routes)), strict=True):
            _note(route, is_alive=is_alive)
    except redis.RedisError as error:
        log.warning("endpoints_not_checked", reason=str(error))


def _due(ids: Sequence[UUID]) -> list[UUID]:
    pipeline = connection().pipeline(transaction=False)
    for pk in ids:
        pipeline.hget(key(pk), "check_at")
    now = time.time()
    return [pk for pk, at in zip(ids, pipeline.execute(), strict=True) if float(at or 0) <= now]


async def _look_at(routes: Sequence[Route]) -> list[bool]:
    """All at once: what is dead keeps the clock for three seconds in all."""
    try:
        return await asyncio.gather(*map(_is_alive, routes))
    finally:
        await close_pool()


async def _is_alive(route: Route) -> bool:
    """Whether it answers sensibly; a refusal (no such page, another key) is an answer too."""
    try:
        await ask(current_pool(), route, route.url("models"), seconds=ANSWER_SECONDS)
    except DEAD:
        return False
    except GatewayError:
        return True
    return True


def _note(route: Route, *, is_alive: bool) -> None:
    name, now = key(route.endpoint_id), time.time()
    checks = connection().hincrby(name, "checks", 1)
    pause = min(FIRST_PAUSE * 2.0 ** (checks - 1), LONGEST_PAUSE)
    reopens_at = now if is_alive else now + pause + MARGIN_SECONDS
    connection().hset(name, mapping={"check_at": now + pause, "reopens_at": reopens_at})
    log.info("endpoint_checked", endpoint=route.endpoint, is_alive=is_alive, checks=checks)
