"""aiohttp connections to checked addresses only.

The resolver refuses a name as a whole if any of its addresses is not allowed. The socket is made
by the policy again, from the very address it will connect to: that covers addresses written as
numbers, and a name that changes its mind between two look-ups.
"""

import socket
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from security.outbound.policy import Policy


class GuardedResolver(AbstractResolver):
    """Asks `resolver`, by default the system's, and raises AddressRefused for bad answers."""

    def __init__(self, policy: Policy, resolver: AbstractResolver | None = None) -> None:
        self._policy = policy
        self._resolver = resolver or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            self._policy.check_address(result["host"])
        return found

    async def close(self) -> None:
        await self._resolver.close()


def guarded_connector(
    policy: Policy, resolver: AbstractResolver | None = None, **options: Any
) -> aiohttp.TCPConnector:
    """A connector that opens no connection against the policy; `options` are aiohttp's."""

    def make_socket(info: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _name, address = info
        policy.check_address(str(address[0]))
        policy.check_port(int(address[1]))
        return socket.socket(family, kind, protocol)

    return aiohttp.TCPConnector(
        resolver=GuardedResolver(policy, resolver), socket_factory=make_socket, **options
    )


def open_session(connector: aiohttp.TCPConnector, **options: Any) -> aiohttp.ClientSession:
    """A session on guarded connections, without cookies, proxies or credentials of its own."""
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False, **options
    )
