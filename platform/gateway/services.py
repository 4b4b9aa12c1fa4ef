"""Writes: endpoints and their keys, models and deployments."""

import re
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from gateway.errors import GatewayError
from gateway.metering.recording import usage_of
from gateway.metering.writing import insert_rows
from gateway.models import Deployment, Endpoint, Model
from gateway.routing.routes import bare_route, endpoint_route, forget_routes, secret_context
from gateway.routing.state import end_cooling
from gateway.upstream.probe import ProbeResult, list_models, test_endpoint
from gateway.upstream.probing.abilities import find_abilities
from security import audit
from security.acts import Act
from security.secrets import SecretUnreadable, hint, open_, seal

OPENAI_URL = "https://api.openai.com/v1"
OPENAI_MODEL = "gpt-4.1-mini"

log = structlog.get_logger(__name__)


def store_key(endpoint: Endpoint, api_key: str) -> None:
    """Seal the key into the row; an empty one removes it."""
    with transaction.atomic():
        endpoint.secret = seal(api_key, secret_context(endpoint.id)) if api_key else None
        endpoint.save(update_fields=["secret"])
        audit.record(Act.KEY_STORED if api_key else Act.KEY_REMOVED, endpoint)
    forget_routes()
    end_cooling(endpoint.pk)


def key_hint(endpoint: Endpoint) -> str:
    """What may be shown of the stored key: its last four characters, "" without one."""
    if not endpoint.secret:
        return ""
    try:
        return hint(open_(bytes(endpoint.secret), secret_context(endpoint.id)))
    except SecretUnreadable:
        return "?"


def check_endpoint(endpoint: Endpoint) -> ProbeResult:
    """Test the connection and keep the result on the row, what its deployments can do on theirs.

    Waits for the network, 40 s at most. What was corrected by hand stays corrected.
    """
    result = test_endpoint(endpoint)
    insert_rows([usage_of(call) for call in result.calls])
    if result.ok:
        end_cooling(endpoint.pk)
        result = replace(result, message=" ".join([result.message, *_find_abilities(endpoint)]))
    endpoint.last_checked_at = timezone.now()
    endpoint.last_error = "" if result.ok else result.message
    endpoint.save(update_fields=["last_checked_at", "last_error"])
    return result


def _find_abilities(endpoint: Endpoint) -> list[str]:
    """A sentence for each deployment that is on; what could not be tried stays as it was."""
    deployments = list(
        endpoint.deployments.filter(is_enabled=True).select_related("model", "endpoint")
    )
    if not deployments:
        return []
    routes = [(bare_route(one), one.model.kind) for one in deployments]
    sentences = []
    every = find_abilities(routes)
    insert_rows([usage_of(call) for found in every for call in found.calls])
    for deployment, found in zip(deployments, every, strict=True):
        deployment.probed = deployment.probed | found.as_json()
        deployment.save(update_fields=["probed"])
        sentences.append(found.sentence(deployment.upstream_name))
    forget_routes()
    return sentences


@transaction.atomic
def connect_model(endpoint: Endpoint, upstream_name: str, *, is_default: bool = False) -> Model:
    """Offer a model of an endpoint under its own name; the same call again changes nothing."""
    name = re.sub(r"[^\w.:/@+-]+", "-", upstream_name)[:120]
    model, _ = Model.objects.get_or_create(name=name)
    Deployment.objects.get_or_create(model=model, endpoint=endpoint, upstream_name=upstream_name)
    if is_default and not model.is_default:
        Model.objects.filter(kind=Model.Kind.CHAT, is_default=True).update(is_default=False)
        model.is_default = True
        model.save(update_fields=["is_default"])
    forget_routes()
    return model


def connect_from_environment() -> Endpoint | None:
    """The endpoint that the environment describes, created only where there is none at all.

    From then on the row counts and the variables are ignored. Without PARLEY_MODEL the server is
    asked what it offers; if it cannot be reached the endpoint is kept without a model.
    """
    base_url = settings.PARLEY_MODEL_BASE_URL or (
        OPENAI_URL if settings.PARLEY_MODEL_API_KEY else ""
    )
    if not base_url or Endpoint.objects.exists():
        return None
    with transaction.atomic():
        endpoint = Endpoint.objects.create(
            name=urlsplit(base_url).hostname or "model", base_url=base_url
        )
        store_key(endpoint, settings.PARLEY_MODEL_API_KEY)
    upstream_name = settings.PARLEY_MODEL or _first_model(endpoint)
    if upstream_name:
        connect_model(endpoint, upstream_name, is_default=True)
    log.info("model_connected", endpoint=endpoint.name, model=upstream_name)
    return endpoint


def _first_model(endpoint: Endpoint) -> str:
    if endpoint.base_url.startswith(OPENAI_URL):
        return OPENAI_MODEL
    try:
        offered = list_models(endpoint_route(endpoint))
    except GatewayError as error:
        endpoint.last_error = str(error)
        endpoint.save(update_fields=["last_error"])
        return ""
    return next((name for name in offered if "embed" not in name.lower()), "")


def models_left_alone(endpoints: Iterable[UUID]) -> list[str]:
    """Names of the models that these endpoints alone would serve, if they were asked."""
    served = Deployment.objects.filter(is_enabled=True, endpoint__is_enabled=True)
    elsewhere = served.filter(endpoint__is_draining=False).exclude(endpoint__in=endpoints)
    found = Model.objects.filter(pk__in=served.filter(endpoint__in=endpoints).values("model"))
    alone = found.exclude(pk__in=elsewhere.values("model")).order_by("name")
    return list(alone.values_list("name", flat=True))
