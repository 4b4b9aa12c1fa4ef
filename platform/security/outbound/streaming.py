"""httpx2 connections for clients that wait for what a server says bit by bit.

As `security.outbound.transport`, and nothing that comes back passes the limit, over all answers of
one client together: whoever talks without end is cut off.
"""

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx2
from django.utils.translation import gettext_lazy as _

from security.outbound.errors import FetchTimeout, ResponseTooLarge, Unreachable, WrongContent
from security.outbound.policy import Policy
from security.outbound.transport import at_address

StreamingClient = httpx2.AsyncClient  # made by `streaming_client` alone


class AsyncGuardedTransport(httpx2.AsyncHTTPTransport):
    """Looks a name up once, checks every answer, and connects to those addresses by number.

    `status` and `challenge` are of the last answer: what a client above may not hand on.
    """

    def __init__(self, policy: Policy, most_bytes: int) -> None:
        super().__init__(trust_env=False)
        self._policy = policy
        self.left = most_bytes
        self.most_bytes = most_bytes
        self.status = 0
        self.challenge = ""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raise OutboundError: AddressRefused before anything is sent."""
        host, port = request.url.host, request.url.port or (443, 80)[request.url.scheme == "http"]
        self._policy.check_port(port)
        addresses = await _look_up(host, port)
        for address in addresses:
            self._policy.check_address(address)
        response = await self._sent(request, addresses)
        self.status = response.status_code
        self.challenge = response.headers.get("WWW-Authenticate", "")
        if response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity"):
            await response.aclose()
            raise WrongContent(_("The answer is packed in a way that nobody asked for."))
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = _Counted(response.stream, self)
        return response

    async def _sent(self, request: httpx2.Request, addresses: list[str]) -> httpx2.Response:
        for address in addresses[:-1]:
            try:
                return await super().handle_async_request(at_address(request, address))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue  # nothing was sent; a name often has an address that is not served
        try:
            return await super().handle_async_request(at_address(request, addresses[-1]))
        except httpx2.TimeoutException as error:
            raise FetchTimeout(_("The answer took too long.")) from error
        except httpx2.TransportError as error:
            host = request.url.host
            raise Unreachable(_("%(host)s cannot be reached.") % {"host": host}) from error


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream, transport: AsyncGuardedTransport) -> None:
        self._stream = stream
        self._transport = transport

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            self._transport.left -= len(part)
            if self._transport.left < 0:
                limit = f"{self._transport.most_bytes:,}"
                raise ResponseTooLarge(
                    _("The answer is larger than %(limit)s bytes.") % {"limit": limit}
                )
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


def streaming_client(
    transport: AsyncGuardedTransport, seconds: float, headers: dict[str, str]
) -> StreamingClient:
    """A client that follows no redirect and reads no proxy from the environment; `seconds` is the
    longest silence."""
    return httpx2.AsyncClient(
        transport=transport,
        timeout=httpx2.Timeout(seconds, connect=min(seconds, 10)),
        headers={"User-Agent": "Parley/1.0", **headers, "Accept-Encoding": "identity"},
        follow_redirects=False,
        trust_env=False,
    )


async def _look_up(host: str, port: int) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unreachable(_("%(host)s cannot be reached.") % {"host": host}) from error
    return list(dict.fromkeys(str(address[0]) for *_rest, address in found))
