"""Test connection: one short conversation with an endpoint that ends in a plain sentence."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from gateway.errors import BadCredentials, EndpointTimeout, GatewayError, ModelNotFound
from gateway.models import Endpoint
from gateway.routing.routes import endpoint_route
from gateway.types import Route
from gateway.upstream.dialect import data_url
from gateway.upstream.probing.picture import DOT_IMAGE
from gateway.upstream.sdk import open_client, typed_error
from security.secrets import hint

PROBE_SECONDS = 10.0
SHOWN_MODELS = 8


@dataclass(frozen=True)
class ProbeResult:
    """`message` says what is wrong and what to change, or what was found."""

    ok: bool
    message: str
    models: tuple[str, ...]
    latency_ms: int


def test_endpoint(endpoint: Endpoint) -> ProbeResult:
    """Ask for the endpoint's models and compare them with its deployments. Waits up to 10 s.

    A server without a model list is asked for one token of a deployment instead. Reads the row's
    deployments; holds no transaction.
    """
    enabled = endpoint.deployments.filter(is_enabled=True)
    wanted = list(enabled.values_list("upstream_name", flat=True))
    route = endpoint_route(endpoint)
    found = probe(route, wanted)
    seeing = enabled.filter(model__has_vision=True).values_list("upstream_name", flat=True)
    return _with_sight(found, route, list(seeing)) if found.ok else found


test_endpoint.__test__ = False  # type: ignore[attr-defined]  # pytest: not a test


def probe(route: Route, wanted: Sequence[str] = (), timeout: float = PROBE_SECONDS) -> ProbeResult:
    """`test_endpoint` without a row."""
    started = time.monotonic()
    try:
        models = list_models(route, timeout)
    except ModelNotFound as error:
        outcome = (
            _without_list(route, wanted, timeout) if wanted else (False, _explain(error, route))
        )
        models = ()
    except GatewayError as error:
        outcome = (False, _explain(error, route))
        models = ()
    else:
        outcome = _compare(models, wanted)
    latency_ms = round((time.monotonic() - started) * 1000)
    return ProbeResult(outcome[0], outcome[1], models, latency_ms)


def list_models(route: Route, timeout: float = PROBE_SECONDS) -> tuple[str, ...]:
    """The model names a server offers; raises GatewayError."""
    with open_client(route, timeout) as client:
        try:
            response = client.models.with_raw_response.list()
            entries = response.http_response.json()["data"]
            return tuple(str(entry["id"]) for entry in entries)
        except (ValueError, LookupError, TypeError) as error:
            raise NotAModelServer from error
        except Exception as error:
            raise typed_error(error) from error


class NotAModelServer(GatewayError):
    """Something answers there, but not with a list of models."""

    type = "not_a_model_server"


def _without_list(route: Route, wanted: Sequence[str], timeout: float) -> tuple[bool, str]:
    """Some servers offer no list: one token of a model shows as much."""
    with open_client(route, timeout) as client:
        try:
            client.chat.completions.create(
                model=wanted[0], messages=[{"role": "user", "content": "hi"}], max_tokens=1
            )
        except Exception as error:  # noqa: BLE001 - whatever the SDK raises is put into words
            return False, _explain(typed_error(error), route)
    return True, str(_("{model} answers. The server offers no list of models.")).format(
        model=wanted[0]
    )


def _with_sight(found: ProbeResult, route: Route, seeing: Sequence[str]) -> ProbeResult:
    """Show a dot to each model that is said to see; one that refuses it is named."""
    content = [
        {"type": "text", "text": "hi"},
        {"type": "image_url", "image_url": {"url": data_url(DOT_IMAGE)}},
    ]
    for name in seeing:
        with open_client(route, PROBE_SECONDS) as client:
            try:
                client.chat.completions.create(
                    model=name,
                    messages=[{"role": "user", "content": content}],  # type: ignore[misc, list-item]
                    max_tokens=1,
                )
            except Exception as error:  # noqa: BLE001 - whatever the SDK raises is put into words
                text = str(_("{model} refuses images; untick “sees images” for it. {reason}"))
                reason = _explain(typed_error(error), route)
                message = text.format(model=name, reason=reason)
                return replace(found, ok=False, message=message)
    return found


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
