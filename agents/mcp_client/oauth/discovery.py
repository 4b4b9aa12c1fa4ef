"""Who authorizes for a server, and where: asked of the server itself and of nobody else."""

from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

import httpx2
from django.utils.translation import gettext as _
from mcp.client.auth.exceptions import OAuthFlowError
from mcp.client.auth.utils import (
    build_oauth_authorization_server_metadata_discovery_urls,
    build_protected_resource_metadata_discovery_urls,
    extract_resource_metadata_from_www_auth,
    extract_scope_from_www_auth,
    validate_metadata_issuer,
)
from mcp.shared.auth import OAuthMetadata, ProtectedResourceMetadata
from mcp.shared.auth_utils import check_resource_allowed, resource_url_from_server_url
from pydantic import BaseModel, ValidationError

from agents.mcp_client.types import ServerTrouble
from security.outbound.streaming import StreamingClient

Model = TypeVar("Model", bound=BaseModel)
LONGEST_SCOPE = 1000
PROBE = {"jsonrpc": "2.0", "id": 0, "method": "ping"}
ACCEPT = {"Accept": "application/json, text/event-stream"}


@dataclass(frozen=True, slots=True)
class Found:
    """The authorization server of a `resource`, by its own metadata."""

    resource: str
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    registration_endpoint: str
    revocation_endpoint: str
    scope: str
    says_issuer: bool  # it names itself when it sends people back (RFC 9207)


async def discover(url: str, http: StreamingClient) -> Found:
    """Raises ServerTrouble where the server does not say who authorizes for it, or where that one
    cannot be trusted with PKCE."""
    asked = await http.post(url, json=PROBE, headers=ACCEPT)
    hinted = extract_resource_metadata_from_www_auth(asked)
    resource = await _first(
        http, build_protected_resource_metadata_discovery_urls(hinted, url),
        ProtectedResourceMetadata,
    )  # fmt: skip
    own = resource_url_from_server_url(url)
    if resource is not None and not check_resource_allowed(own, str(resource.resource)):
        raise _untrusted(url)
    issuer = str(resource.authorization_servers[0]) if resource else None
    server = await _first(
        http, build_oauth_authorization_server_metadata_discovery_urls(issuer, url), OAuthMetadata
    )
    if server is None:
        raise ServerTrouble(
            _("%(host)s does not say who authorizes for it.") % {"host": urlsplit(url).hostname}
        )
    _check(server, issuer, url)
    scopes = (resource.scopes_supported if resource else None) or []
    return Found(
        resource=str(resource.resource) if resource else own,
        issuer=str(server.issuer),
        authorization_endpoint=str(server.authorization_endpoint),
        token_endpoint=str(server.token_endpoint),
        registration_endpoint=str(server.registration_endpoint or ""),
        revocation_endpoint=str(server.revocation_endpoint or ""),
        scope=(extract_scope_from_www_auth(asked) or " ".join(scopes))[:LONGEST_SCOPE],
        says_issuer=bool(server.authorization_response_iss_parameter_supported),
    )


def _check(server: OAuthMetadata, issuer: str | None, url: str) -> None:
    """It is who it was said to be, nothing secret is sent in the clear, and it checks the challenge
    of PKCE: else a code could be anybody's."""
    if issuer is not None:
        try:
            validate_metadata_issuer(server, issuer)
        except OAuthFlowError:
            raise _untrusted(url) from None
    elif urlsplit(str(server.issuer)).netloc != urlsplit(url).netloc:
        raise _untrusted(url)
    endpoints = (
        server.authorization_endpoint,
        server.token_endpoint,
        server.registration_endpoint,
        server.revocation_endpoint,
    )
    if url.startswith("https:") and any(one and one.scheme != "https" for one in endpoints):
        raise _untrusted(url)
    if "S256" not in (server.code_challenge_methods_supported or ()):
        raise ServerTrouble(
            _("%(issuer)s does not support PKCE.") % {"issuer": urlsplit(str(server.issuer)).netloc}
        )


async def _first(http: StreamingClient, urls: list[str], model: type[Model]) -> Model | None:
    for url in urls:
        answer = await http.get(url)
        if answer.status_code == httpx2.codes.OK:
            try:
                return model.model_validate_json(answer.content)
            except ValidationError:
                continue
    return None


def _untrusted(url: str) -> ServerTrouble:
    said = _("What %(host)s says about its authorization does not fit together.")
    return ServerTrouble(said % {"host": urlsplit(url).hostname})
