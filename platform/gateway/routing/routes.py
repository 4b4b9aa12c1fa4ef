"""Which deployments serve a model, read from the database and remembered for two seconds."""

from dataclasses import replace

import structlog
from django.db.models import Q, QuerySet

from gateway.complexity.score import TIERS
from gateway.controls import Capability
from gateway.metering.prices import NAMES as PRICES
from gateway.models import Deployment, Endpoint, Model
from gateway.types import OFFLINE, Route, Timeouts
from observability.remembered import Remembered
from security.secrets import SecretUnreadable, open_

log = structlog.get_logger(__name__)


def secret_context(endpoint_id: object) -> str:
    """What an endpoint's sealed key is bound to."""
    return f"endpoint:{endpoint_id}"


def list_routes(name: str, kind: str = Model.Kind.CHAT) -> tuple[Route, ...]:
    """Enabled deployments of a model by priority; "" is the default model of its kind.

    Empty when nothing is connected. A model that does not exist (any more) falls back to the
    default one, so that an agent survives the removal of its model.
    """
    if name == OFFLINE:
        return ()
    deployments = (
        Deployment.objects.filter(
            is_enabled=True,
            endpoint__is_enabled=True,
            endpoint__is_draining=False,
            model__kind=kind,
        )
        .select_related("model", "endpoint")
        .order_by("priority", "id")
    )
    for field, value in ([("name", name)] if name else []) + [("is_default", True)]:
        if found := list(deployments.filter(**{f"model__{field}": value})):
            return tuple(_route(deployment) for deployment in found)
        if kind == Model.Kind.CHAT and (
            routes := _routes_of_alias(Q(**{field: value}), deployments)
        ):
            return routes
    return ()


def _routes_of_alias(asked: Q, deployments: QuerySet[Deployment]) -> tuple[Route, ...]:
    """All that may answer for it, each with its tier: `gateway.complexity` picks for a question."""
    model = (
        Model.objects.filter(asked, complexity__isnull=False).select_related("complexity").first()
    )
    if model is None:
        return ()
    targets = [(tier, getattr(model.complexity, f"{tier}_id")) for tier in TIERS]
    found = list(deployments.filter(model__in={pk for _tier, pk in targets}))
    return tuple(
        replace(_route(deployment), alias=model.name, tier=tier)
        for tier, pk in targets
        for deployment in found
        if deployment.model_id == pk
    )


_remembered = Remembered(list_routes)


async def find_routes(name: str) -> tuple[Route, ...]:
    """`list_routes` for the hot path, at most two seconds old (`observability.remembered`)."""
    return await _remembered.get(name)


async def sees_images(name: str) -> bool:
    """Whether images may be sent to the model that answers for this name.

    One deployment that sees is enough: a request with images goes to no other.
    """
    return any(route.has_vision for route in await find_routes(name))


def forget_routes() -> None:
    """Let the next call see a change at once (this process; others see it within two seconds)."""
    _remembered.forget()


def endpoint_route(endpoint: Endpoint) -> Route:
    """What a call to the endpoint needs, without a model."""
    return Route(
        model="",
        upstream_name="",
        endpoint=endpoint.name,
        base_url=endpoint.base_url,
        api_key=_key(endpoint),
        timeouts=Timeouts(
            connect=endpoint.connect_timeout,
            first_token=endpoint.first_token_timeout,
            idle=endpoint.idle_timeout,
            total=endpoint.total_timeout,
        ),
        max_concurrency=endpoint.max_concurrency,
        endpoint_id=endpoint.pk,
        labels=frozenset(endpoint.labels),
        queue_timeout=endpoint.queue_timeout,
    )


def bare_route(deployment: Deployment) -> Route:
    """For a test of the deployment: its names and prices, and nothing of what it is said to do."""
    return replace(
        endpoint_route(deployment.endpoint),
        model=deployment.model.name,
        upstream_name=deployment.upstream_name,
        deployment_id=deployment.pk,
        **{name: getattr(deployment, name) for name in PRICES},
    )


def _route(deployment: Deployment) -> Route:
    route = endpoint_route(deployment.endpoint)
    model = deployment.model
    known = {
        Capability.VISION.value: model.has_vision,
        **deployment.probed,
        **deployment.capabilities,
    }
    return replace(
        route,
        model=model.name,
        upstream_name=deployment.upstream_name,
        has_vision=bool(known[Capability.VISION.value]),
        deployment_id=deployment.pk,
        strategy=model.strategy,
        priority=deployment.priority,
        weight=deployment.weight,
        **{name: getattr(deployment, name) for name in PRICES},
        token_ratios=deployment.probed.get("token_ratios", {}) | deployment.token_ratios,
        context_length=deployment.context_length
        or deployment.probed.get("context_length")
        or model.context_length,
        server=str(deployment.probed.get("server", "")),
        capabilities=frozenset(filter(deployment.has, Capability)),
        lacks=_lacks(deployment),
        extra_body=deployment.extra_body,
    )


def _lacks(deployment: Deployment) -> frozenset[Capability]:
    """What the test found missing, or somebody denied by hand; not what nobody has tried."""
    known = deployment.probed | deployment.capabilities
    return frozenset(able for able in Capability if known.get(able.value) is False)


def _key(endpoint: Endpoint) -> str:
    """An unreadable key is sent as none: the server then refuses it and the reason is shown."""
    if not endpoint.secret:
        return ""
    try:
        return open_(bytes(endpoint.secret), secret_context(endpoint.id))
    except SecretUnreadable:
        log.exception("endpoint_key_unreadable", endpoint=endpoint.name)
        return ""
