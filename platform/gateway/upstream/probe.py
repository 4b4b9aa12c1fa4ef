"""Test connection: one short conversation with an endpoint that ends in a plain sentence."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
from django.utils.translation import gettext as _

from gateway.errors import (
    BadCredentials,
    EndpointTimeout,
    GatewayError,
    ModelNotFound,
    UpstreamFailed,
)
from gateway.models import Endpoint
from gateway.routing.routes import bare_route, endpoint_route
from gateway.types import CallRecord, Route
from gateway.upstream.asking import ask
from gateway.upstream.dialect import data_url
from gateway.upstream.probing.meter import Meter
from gateway.upstream.probing.picture import DOT_IMAGE
from gateway.upstream.session import close_pool, current_pool
from security.secrets import hint

PROBE_SECONDS = 10.0
SHOWN_MODELS = 8
T = TypeVar("T")
HI = [{"role": "user", "content": "hi"}]
SEE = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "hi"},
            {"type": "image_url", "image_url": {"url": data_url(DOT_IMAGE)}},
        ],
    }
]


@dataclass(frozen=True)
class ProbeResult:
    """`message` says what is wrong and what to change, or what was found; `calls` are those that
    models were asked for it."""

    ok: bool
    message: str
    models: tuple[str, ...]
    latency_ms: int
    calls: tuple[CallRecord, ...] = ()


class NotAModelServer(GatewayError):
    """Something answers there, but not with a list of models."""

    type = "not_a_model_server"


def test_endpoint(endpoint: Endpoint) -> ProbeResult:
    """Ask for the endpoint's models and compare them with its deployments. Waits up to 10 s.

    A server without a model list is asked for one token of a deployment instead. Reads the row's
    deployments; holds no transaction. For code without a running loop.
    """
    enabled = endpoint.deployments.filter(is_enabled=True).select_related("model", "endpoint")
    deployments = list(enabled)
    wanted = [bare_route(one) for one in deployments]
    seeing = [bare_route(one) for one in deployments if one.model.has_vision]
    return probe(endpoint_route(endpoint), wanted, seeing)


test_endpoint.__test__ = False  # type: ignore[attr-defined]  # pytest: not a test


def probe(
    route: Route,
    wanted: Sequence[Route] = (),
    seeing: Sequence[Route] = (),
    seconds: float = PROBE_SECONDS,
) -> ProbeResult:
    """`test_endpoint` without a row: what should be served there, and what of it should see."""
    return asyncio.run(_closing(_probe(route, wanted, seeing, seconds)))


def list_models(route: Route, seconds: float = PROBE_SECONDS) -> tuple[str, ...]:
    """The model names a server offers; raises GatewayError. For code without a running loop."""
    return asyncio.run(_closing(_list_models(route, seconds)))


async def _closing(work: Awaitable[T]) -> T:
    try:
        return await work
    finally:
        await close_pool()


async def _probe(
    route: Route, wanted: Sequence[Route], seeing: Sequence[Route], seconds: float
) -> ProbeResult:
    began, meter = time.monotonic(), Meter()
    models: tuple[str, ...] = ()
    try:
        models = await _list_models(route, seconds)
        outcome = _compare(models, [one.upstream_name for one in wanted])
    except ModelNotFound as error:
        outcome = (False, _explain(error, route))
        if wanted:
            outcome = await _without_list(wanted[0], meter, seconds)
    except GatewayError as error:
        outcome = (False, _explain(error, route))
    latency_ms = round((time.monotonic() - began) * 1000)
    if outcome[0]:
        outcome = await _with_sight(outcome, seeing, meter, seconds)
    return ProbeResult(*outcome, models, latency_ms, tuple(meter.calls))


async def _list_models(route: Route, seconds: float) -> tuple[str, ...]:
    try:
        found = await ask(current_pool(), route, route.url("models"), seconds=seconds)
        return tuple(str(entry["id"]) for entry in found["data"])
    except UpstreamFailed as error:
        if isinstance(error.__cause__, orjson.JSONDecodeError):
            raise NotAModelServer from error
        raise
    except (LookupError, TypeError) as error:
        raise NotAModelServer from error


async def _complete(route: Route, messages: Any, meter: Meter, seconds: float) -> None:
    """One token of it."""
    body = {"model": route.upstream_name, "messages": messages, "max_tokens": 1}
    await meter.ask(current_pool(), route, route.url("chat/completions"), body, seconds)


async def _without_list(route: Route, meter: Meter, seconds: float) -> tuple[bool, str]:
    """Some servers offer no list: one token of a model shows as much."""
    try:
        await _complete(route, HI, meter, seconds)
    except GatewayError as error:
        return False, _explain(error, route)
    return True, str(_("{model} answers. The server offers no list of models.")).format(
        model=route.upstream_name
    )


async def _with_sight(
    outcome: tuple[bool, str], seeing: Sequence[Route], meter: Meter, seconds: float
) -> tuple[bool, str]:
    """Show a dot to each model that is said to see; one that refuses it is named."""
    for route in seeing:
        try:
            await _complete(route, SEE, meter, seconds)
        except GatewayError as error:
            text = str(_("{model} refuses images; untick “sees images” for it. {reason}"))
            reason = _explain(error, route)
            return False, text.format(model=route.upstream_name, reason=reason)
    return outcome


def _compare(models: tuple[str, ...], wanted: Sequence[str]) -> tuple[bool, str]:
    missing = [name for name in wanted if name not in models]
    if not missing:
        return True, str(_("Connected; {count} models offered.")).format(count=len(models))
    offered = ", ".join(models[:SHOWN_MODELS]) or "–"
    text = _("The server does not offer {missing}. It offers: {offered}.")
    return False, str(text).format(missing=", ".join(missing), offered=offered)


def _explain(error: GatewayError, route: Route) -> str:
    text = str(error)
    if route.api_key:
        text = text.replace(route.api_key, hint(route.api_key))
    advice = _advice(error, route)
    return f"{text} {advice}".strip()


def _advice(error: GatewayError, route: Route) -> str:
    wants_v1 = not route.base_url.rstrip("/").endswith("/v1")
    match error:
        case NotAModelServer() | ModelNotFound() if wants_v1:
            text = _("Most servers want an address that ends in /v1: {url}/v1")
            return str(text).format(url=route.base_url.rstrip("/"))
        case NotAModelServer():
            return str(_("Something else than a model server answers at this address."))
        case BadCredentials() if not route.api_key:
            return str(_("No key is stored; enter one."))
        case EndpointTimeout():
            return str(_("Check the port, the firewall and the proxy."))
        case _:
            return ""
