"""Who would answer now: the order in which a model's deployments would be asked, and why."""

import random
from dataclasses import dataclass
from time import time

from django.utils.translation import gettext as _

from gateway.models import Deployment, Model
from gateway.routing.health import Health
from gateway.routing.needs import Needs
from gateway.routing.routes import list_routes
from gateway.routing.state import EndpointState, read_states
from gateway.routing.strategies import Scene, choose, endpoint_key


@dataclass(frozen=True, slots=True)
class Standing:
    """A deployment's place in the order; None: it is not asked, and `reason` says why."""

    deployment: Deployment
    place: int | None
    state: EndpointState
    reason: str = ""


def order_now(model: Model) -> tuple[list[Standing], str]:
    """For a question of usual size without demands, and why the first is first.

    Where chance decides, the next question may find another order.
    """
    rows = {d.pk: d for d in model.deployments.select_related("endpoint")}
    states = read_states([row.endpoint_id for row in rows.values()])
    now = time()
    routes = [r for r in list_routes(model.name, model.kind) if r.deployment_id in rows]
    health = {endpoint_key(r): _health(states[rows[r.deployment_id].endpoint_id], now)
        for r in routes if r.deployment_id}  # fmt: skip
    chosen = choose(routes, Scene(Needs(), health, now, random.Random()))  # noqa: S311 - a draw
    asked = [rows.pop(r.deployment_id) for r in chosen.routes if r.deployment_id]
    standings = [
        Standing(row, n, states[row.endpoint_id], _pause(states[row.endpoint_id]))
        for n, row in enumerate(asked, 1)
    ]
    rest = (Standing(row, None, states[row.endpoint_id], _why_not(row)) for row in rows.values())
    return [*standings, *rest], chosen.why


def _health(state: EndpointState, now: float) -> Health:
    return Health(
        reopens_at=state.reopens_at.timestamp() if state.reopens_at else 0.0,
        cooling_until=state.cooling_until.timestamp() if state.cooling_until else 0.0,
        first_token_ms=state.first_token_ms,
        tokens_per_second=state.tokens_per_second,
        error_rate=state.error_rate,
        measured_at=now if state.first_token_ms is not None else 0.0,
        in_flight=state.in_flight,
        waiting=state.waiting,
    )


def _pause(state: EndpointState) -> str:
    if state.breaker == "open":
        return _("out of order; asked only when no other is left")
    return _("pausing; asked only when no other is left") if state.cooling_until else ""


def _why_not(deployment: Deployment) -> str:
    if not deployment.is_enabled:
        return _("disabled")
    if not deployment.endpoint.is_enabled:
        return _("its endpoint is disabled")
    return _("its endpoint is draining") if deployment.endpoint.is_draining else ""
