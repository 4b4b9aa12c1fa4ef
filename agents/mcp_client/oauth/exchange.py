"""Registering with an authorization server, sending a person there, and getting tokens for it."""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

import httpx2
from django.utils.translation import gettext as _
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken
from pydantic import ValidationError

from agents.mcp_client.oauth.discovery import Found
from agents.mcp_client.types import ServerTrouble
from security.outbound.streaming import StreamingClient

GRANTS = ["authorization_code", "refresh_token"]
SHORTEST_SECONDS, USUAL_SECONDS = 60, 3600


@dataclass(frozen=True, slots=True)
class Us:
    """How an authorization server knows this installation."""

    client_id: str
    client_secret: str = ""


@dataclass(frozen=True, slots=True)
class Tokens:
    access: str
    refresh: str
    expires_at: float  # seconds since 1970


def new_verifier() -> str:
    return secrets.token_urlsafe(64)


def challenge_of(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def address_to_ask(found: Found, us: Us, redirect_uri: str, state: str, verifier: str) -> str:
    """Where the person is asked, by whoever authorizes, whether we may."""
    asked = {
        "response_type": "code",
        "client_id": us.client_id,
        "redirect_uri": redirect_uri,
        "state": state,
        "code_challenge": challenge_of(verifier),
        "code_challenge_method": "S256",
        "resource": found.resource,
    }
    if found.scope:
        asked["scope"] = found.scope
    joint = "&" if urlsplit(found.authorization_endpoint).query else "?"
    return f"{found.authorization_endpoint}{joint}{urlencode(asked)}"


async def register(found: Found, redirect_uri: str, http: StreamingClient) -> Us:
    """Raises ServerTrouble where only an administrator can do that, by hand."""
    if not found.registration_endpoint:
        raise ServerTrouble(
            _("%(issuer)s registers nobody by itself: an administrator has to enter a client id.")
            % {"issuer": urlsplit(found.issuer).netloc}
        )
    wanted = {
        "client_name": "Parley",
        "redirect_uris": [redirect_uri],
        "grant_types": GRANTS,
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "application_type": "web",
    }
    answer = await http.post(found.registration_endpoint, json=wanted)
    try:
        said = OAuthClientInformationFull.model_validate_json(answer.content)
    except ValidationError:
        raise _refused(found.issuer) from None
    if not answer.is_success or not said.client_id:
        raise _refused(found.issuer)
    return Us(said.client_id, said.client_secret or "")


async def redeem(
    token_endpoint: str, us: Us, asked: dict[str, str], http: StreamingClient
) -> Tokens:
    """Tokens for a code or for a refresh token (`asked`); raises ServerTrouble."""
    answer = await _posted(token_endpoint, us, asked, http)
    if not answer.is_success:
        is_over = answer.status_code in (httpx2.codes.BAD_REQUEST, httpx2.codes.UNAUTHORIZED)
        raise _refused(token_endpoint, needs_sign_in=is_over)
    try:
        said = OAuthToken.model_validate_json(answer.content)
    except ValidationError:
        raise _refused(token_endpoint) from None
    lasts = max(SHORTEST_SECONDS, said.expires_in or USUAL_SECONDS)
    return Tokens(said.access_token, said.refresh_token or "", time.time() + lasts)


async def revoke(endpoint: str, us: Us, token: str, kind: str, http: StreamingClient) -> None:
    """The token is good for nothing any more (RFC 7009); raises ServerTrouble."""
    answer = await _posted(endpoint, us, {"token": token, "token_type_hint": kind}, http)
    if not answer.is_success:
        raise _refused(endpoint)


async def _posted(
    endpoint: str, us: Us, asked: dict[str, str], http: StreamingClient
) -> httpx2.Response:
    headers = {"Accept": "application/json"}
    if us.client_secret:
        pair = f"{quote(us.client_id, safe='')}:{quote(us.client_secret, safe='')}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        asked = {**asked, "client_id": us.client_id}
    return await http.post(endpoint, data=asked, headers=headers)


def _refused(url: str, *, needs_sign_in: bool = False) -> ServerTrouble:
    said = _("%(server)s refused.") % {"server": urlsplit(url).netloc}
    return ServerTrouble(said, needs_sign_in=needs_sign_in)
