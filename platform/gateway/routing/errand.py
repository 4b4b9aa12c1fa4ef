"""What is no chat (vectors, scores): one endpoint after the other until one gives the whole answer.

The same order, doors, pauses, breakers and records as `stream_chat`; there is no first word, and
nothing to go on behind.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from gateway.errors import EndpointBusy, GatewayError, UpstreamFailed
from gateway.routing.attempt import milliseconds
from gateway.routing.board import Board, current_board
from gateway.routing.health import Health
from gateway.routing.needs import Needs, allowed_routes
from gateway.routing.plan import Plan, Step
from gateway.routing.strategies import Choice, Scene, choose, endpoint_key
from gateway.types import Route, TokenUsage
from security.secrets import hint
from security.sentences import Sentence

T = TypeVar("T")

_rng = random.Random()  # noqa: S311 - chance among servers, no secret
_NO_SPEEDS: Mapping[Any, float] = {}


@dataclass(frozen=True, slots=True)
class Trip:
    """The attempt with this number, and why it goes there."""

    route: Route
    number: int = 1
    why: str = ""


@dataclass(slots=True)
class Outcome:
    """How a call ended, for its usage row."""

    outcome: str = "cancelled"
    detail: str = ""
    usage: TokenUsage = field(default_factory=TokenUsage)
    total_ms: int = 0


async def run_errand(
    routes: Sequence[Route],
    needs: Needs,
    go: Callable[[Trip], Awaitable[T]],
    speeds: Mapping[Any, float] = _NO_SPEEDS,
) -> T:
    """What `go` brings from the first route that answers; raises GatewayError.

    `speeds` are milliseconds of usual calls by `place_of`: how fast an endpoint chats says little
    about its vectors. Errors that no other endpoint could mend are raised at once.
    """
    board = current_board()
    plan = Plan(allowed_routes(routes, needs), lambda among: _order(board, among, needs, speeds))
    failure: GatewayError = UpstreamFailed(Sentence("nobody_offers"))
    number = 0
    while (step := plan.take()) is not None:
        if step.pause:
            await asyncio.sleep(step.pause)
        step = await past_trials(board, plan, step)
        number += 1
        try:
            return await go(Trip(step.route, number, step.why))
        except GatewayError as error:
            if not error.may_switch:
                raise
            failure = error
            plan.failed(step.route, error, has_spoken=False, is_begun=False)
    raise failure


async def metered(
    route: Route,
    ask: Callable[[], Awaitable[tuple[T, TokenUsage]]],
    tell: Callable[[Outcome], Awaitable[None]],
) -> T:
    """One call: what came of it goes to the board and, once, to `tell`, also when it is stopped."""
    board, began, outcome = current_board(), time.monotonic(), Outcome()
    board.look([route])
    try:
        answer, outcome.usage = await ask()
    except GatewayError as error:
        if route.api_key and route.api_key in error.detail:
            error.detail = error.detail.replace(route.api_key, hint(route.api_key))
        outcome.outcome, outcome.detail = error.type, error.said
        if not isinstance(error, EndpointBusy):
            board.failed(route, error)
        raise
    else:
        outcome.outcome = "completed"
        board.succeeded(route, None, None)
        return answer
    finally:
        outcome.total_ms = milliseconds(time.monotonic() - began)
        await asyncio.shield(tell(outcome))


def place_of(route: Route) -> Any:
    """What two routes to the same deployment have in common."""
    return route.deployment_id or (route.base_url, route.upstream_name)


def _order(
    board: Board, routes: Sequence[Route], needs: Needs, speeds: Mapping[Any, float]
) -> Choice:
    health, now = dict(board.look(routes)), time.time()
    if routes and routes[0].strategy == "fastest":
        for route in routes:
            health[endpoint_key(route)] = _measured(
                health[endpoint_key(route)], speeds.get(place_of(route)), now
            )
    return choose(routes, Scene(needs, health, now, _rng))


def _measured(health: Health, first_ms: float | None, now: float) -> Health:
    return replace(health, first_token_ms=first_ms, tokens_per_second=None, measured_at=now)


async def past_trials(board: Board, plan: Plan, step: Step) -> Step:
    """Leave an endpoint to the one call that tries it, as long as there are others."""
    passed: list[Route] = []
    while not await board.may_try(step.route) and step.route not in passed:
        passed.append(step.route)
        plan.postpone(step.route)
        step = plan.take() or step
    return step
