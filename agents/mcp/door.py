"""Who is let in at `/mcp`: whoever brings an API token, and no script of another site."""

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse

from accounts.tokens import Scope
from agents.mcp.types import address_of
from agents.openai.callers import Call, let_in
from agents.openai.errors import ApiError, told

MOST_BYTES = 2**20
SCOPES = (Scope.READ, Scope.CHAT)
METADATA = "/.well-known/oauth-protected-resource/mcp"
INVALID_REQUEST = -32600  # of JSON-RPC


def admitted(request: HttpRequest) -> tuple[Call, bytes]:
    """The caller and the body; asks the database. Raises ApiError and MissingScope."""
    require_own_origin(request)
    call = let_in(request, None, SCOPES)
    body = request.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise ApiError(413, "The body is larger than 1 MB.", code="request_too_large")
    return call, body


def require_own_origin(request: HttpRequest) -> None:
    """Programs send no Origin. A page that does must be ours: behind a name that was bound to this
    machine's address anew stands somebody else's (DNS rebinding). Raises ApiError."""
    origin = request.headers.get("Origin")
    if origin is not None and origin != address_of(request):
        raise ApiError(403, "Pages of other sites may not call this.", code="foreign_origin")


def refused(request: HttpRequest, error: Exception) -> HttpResponse:
    """Why nobody is served, as JSON-RPC says it where there is no request to answer yet."""
    described = told(error, f"{request.method} {request.path}")
    headers = dict(described.headers)
    if challenge := headers.get("WWW-Authenticate"):
        headers["WWW-Authenticate"] = _challenge(request, challenge, described)
    return HttpResponse(
        orjson.dumps(_error(described.message)),
        status=described.status,
        content_type="application/json",
        headers={**headers, "Cache-Control": "no-store"},
    )


def _challenge(request: HttpRequest, challenge: str, error: ApiError) -> str:
    """With where the metadata of this resource is (RFC 9728) and what was wrong (RFC 6750)."""
    said = [challenge.removeprefix("Bearer").strip()]
    if error.code == "invalid_api_key":
        said.append('error="invalid_token"')
    said.append(f'resource_metadata="{address_of(request)}{METADATA}"')
    return f"Bearer {', '.join(filter(None, said))}"


def _error(message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": None, "error": {"code": INVALID_REQUEST, "message": message}}
