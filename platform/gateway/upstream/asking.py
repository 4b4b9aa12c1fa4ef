"""A short question to a server, and its JSON: what is not streamed."""

import asyncio
from typing import Any

import aiohttp
import orjson

from gateway.errors import EndpointTimeout
from gateway.types import Route
from gateway.upstream.dialect import request_headers
from gateway.upstream.failures import error_for_exception, error_for_response
from gateway.upstream.session import Pool

LARGEST_ANSWER = 4 * 1024 * 1024  # bytes


async def ask(
    pool: Pool,
    route: Route,
    url: str,
    body: dict[str, Any] | None = None,
    seconds: float = 0,
    *,
    largest: int = LARGEST_ANSWER,
) -> Any:
    """GET, or POST with a body; raises GatewayError for everything that is not JSON with a 200.

    `seconds` limits the whole; 0 takes the route's limit for a first word. No more than `largest`
    bytes are read.
    """
    options: dict[str, Any] = {
        "headers": request_headers(route) | {"Accept": "application/json"},
        "timeout": aiohttp.ClientTimeout(total=None, sock_connect=route.timeouts.connect),
        "allow_redirects": False,  # the key must not follow to another host
    }
    method = "GET"
    if body is not None:
        method, options["data"] = "POST", orjson.dumps(body)
    try:
        async with asyncio.timeout(seconds or route.timeouts.first_token):
            async with pool.http.request(method, url, **options) as response:
                raw = bytearray()
                while len(raw) < largest and (read := await response.content.readany()):
                    raw += read
    except TimeoutError as error:
        raise EndpointTimeout from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise error_for_exception(error) from error
    if response.status != 200:
        raise error_for_response(response.status, bytes(raw), response.headers)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise error_for_exception(error) from error
