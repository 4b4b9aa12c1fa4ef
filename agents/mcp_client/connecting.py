"""A connection to a server by the official SDK, in whichever revision the server speaks.

It lasts as long as one thing takes: a listing or a call. Loaded by the first of them, like our own
server: the SDK costs a second and 40 MB (`agents.mcp_client.speaking`).
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx2
from django.conf import settings
from django.utils.translation import gettext as _
from mcp.client._transport import Transport
from mcp.client.client import Client
from mcp.client.session import LoggingFnT
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, Implementation
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from agents.mcp_client.piping import piped
from agents.mcp_client.types import Address, ServerTrouble
from security.outbound.errors import OutboundError
from security.outbound.policy import PUBLIC_ENDPOINT, Policy
from security.outbound.streaming import AsyncGuardedTransport, streaming_client

MOST_BYTES = 4 * 1024 * 1024  # of all that a server says in one connection
MOST_SAID = 2000  # characters of what a server gives as its reason
PARTING_SECONDS = 1.0
CANCELLED = b"notifications/cancelled"
BY_CLOSING = frozenset(MODERN_PROTOCOL_VERSIONS)
US = Implementation(name="parley", title="Parley", version="1")

# It writes what others say into the log, with tracebacks; whoever calls is told the same.
logging.getLogger("mcp.client").setLevel(logging.CRITICAL + 1)
logging.getLogger("httpx2").setLevel(logging.WARNING)


def server_policy() -> Policy:
    """The public internet, and what PARLEY_MCP_NETWORKS opens beside it; any port."""
    return Policy(PUBLIC_ENDPOINT.ports, opened=tuple(settings.PARLEY_MCP_NETWORKS))


@asynccontextmanager
async def connected(
    address: Address, seconds: float, on_log: LoggingFnT | None = None
) -> AsyncIterator[Client]:
    """The server, for at most so long; raises ServerTrouble, also out of what is done with it."""
    guarded = AsyncGuardedTransport(server_policy(), MOST_BYTES)
    parting = _Parting()
    try:
        async with asyncio.timeout(seconds), AsyncExitStack() as stack:
            if address.command is not None:
                transport: Transport = piped(address.command, seconds, MOST_BYTES)
            else:
                http = streaming_client(guarded, seconds, dict(address.headers))
                http.event_hooks["response"].append(parting.answered)
                await stack.enter_async_context(http)
                transport = streamable_http_client(address.url, http_client=http)
            client = Client(transport, client_info=US, cache=None, **_hearing(on_log))
            await stack.enter_async_context(client)
            # A schema of the server's could keep this process busy for ever with a pattern.
            client.session.validate_tool_result = _believe  # type: ignore[assignment, method-assign]
            try:
                yield client
            except asyncio.CancelledError:
                if address.command is None and client.protocol_version not in BY_CLOSING:
                    await parting.wait()
                raise
    except ServerTrouble:
        raise
    except Exception as error:
        trouble = trouble_of(error, address.name, guarded.status)
        if trouble is None:
            raise
        raise trouble from error


class _Parting:
    """Over HTTP the older revision says by a request of its own that nobody waits any more; closing
    the connection says nothing. Whoever leaves lets that go out."""

    def __init__(self) -> None:
        self._is_answered = asyncio.Event()

    async def answered(self, response: httpx2.Response) -> None:
        if CANCELLED in response.request.content:
            self._is_answered.set()

    async def wait(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PARTING_SECONDS):
                await self._is_answered.wait()


def _hearing(on_log: LoggingFnT | None) -> dict[str, Any]:
    """Servers of the newer revision say only what is asked for."""
    return {"logging_callback": on_log, "log_level": "info"} if on_log else {}


async def _believe(_name: str, _result: CallToolResult) -> None:
    """What is not what it should be is words of somebody else anyway."""


def trouble_of(error: BaseException, name: str, status: int) -> ServerTrouble | None:
    """What people are told about what the SDK raised; None for what is none of the server's."""
    found = list(_behind(error))
    for one in found:
        if isinstance(one, ServerTrouble):
            return one
    if status in (401, 403):
        return ServerTrouble(
            _("%(server)s does not let us in.") % {"server": name}, is_refused=status == 401
        )
    for one in found:
        if isinstance(one, OutboundError):
            return ServerTrouble(f"{name}: {one}")
        if isinstance(one, TimeoutError | httpx2.TimeoutException):
            return ServerTrouble(_("%(server)s took too long.") % {"server": name})
    return next(filter(None, (_misunderstood(one, name) for one in found)), None)


def _misunderstood(error: BaseException, name: str) -> ServerTrouble | None:
    if isinstance(error, MCPError):
        said = error.error.message[:MOST_SAID]
        return ServerTrouble(_("%(server)s refused.") % {"server": name}, said)
    if isinstance(error, ValidationError | httpx2.HTTPError | RuntimeError):
        said = _("%(server)s answers in a way that nobody understands.")
        return ServerTrouble(said % {"server": name})
    return None


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what is grouped in it, and what it came from."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or one in seen:
            continue
        seen.append(one)
        yield one
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions
        waiting += [one.__cause__, one.__context__]
