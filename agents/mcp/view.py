"""`/mcp`: streamable HTTP without sessions, one POST a message.

A cookie counts for nothing here, so there is no CSRF; other sites' scripts get no CORS headers.
"""

import asyncio
from importlib import import_module
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from agents.mcp.door import SCOPES, admitted, refused
from agents.mcp.exchange import Exchange, Message
from agents.mcp.types import address_of
from agents.openai.callers import in_thread

SERVER = "agents.mcp.server"  # loaded by the first call: see there
PASSED_ON = ("content-type", "accept", "mcp-")
ANYTHING = "application/json, text/event-stream"


@csrf_exempt
async def mcp(request: HttpRequest) -> HttpResponseBase:
    """One message and its answer: JSON, or events where it takes a while."""
    if request.method != "POST":
        status = 204 if request.method == "OPTIONS" else 405
        return HttpResponse(status=status, headers={"Allow": "POST, OPTIONS"})
    try:
        call, body = await in_thread(admitted, request)
        server = await asyncio.to_thread(import_module, SERVER)
        knock = server.Knock(request, call)

        async def application(scope: Message, receive: Any, send: Any) -> None:
            await server.serve(knock, scope, receive, send)

        return await Exchange(application, _scope(request), body).response()
    except Exception as error:  # noqa: BLE001 - the boundary: each becomes an answer
        return refused(request, error)


def _scope(request: HttpRequest) -> Message:
    """What the SDK has to know of the request: no credentials, no cookies, no address.

    Without an `Accept` header whatever comes is welcome (RFC 9110, 12.5.1).
    """
    said = {"accept": ANYTHING} | {name.lower(): value for name, value in request.headers.items()}
    headers = [
        (name.encode(), value.encode("latin-1", "replace"))
        for name, value in said.items()
        if name.startswith(PASSED_ON)
    ]
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": request.scheme,
        "path": "/mcp",
        "root_path": "",
        "query_string": b"",
        "headers": headers,
    }


@require_safe
def metadata(request: HttpRequest) -> JsonResponse:
    """What this resource wants (RFC 9728): a token that people make themselves. There is no
    authorization server, and so none is named."""
    site = address_of(request)
    return JsonResponse(
        {
            "resource": f"{site}/mcp",
            "resource_name": "Parley",
            "bearer_methods_supported": ["header"],
            "scopes_supported": list(SCOPES),
            "resource_documentation": f"{site}{reverse('accounts:tokens')}",
        }
    )
