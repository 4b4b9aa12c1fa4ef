"""httpx2 connections to checked addresses only, for the SDKs that are built on it.

Imported by whoever needs it and not before: httpx2 costs memory that most processes save.
"""

import socket
from ipaddress import ip_address

import httpx2

from security.outbound.policy import Policy


class GuardedTransport(httpx2.HTTPTransport):
    """Looks a name up once, checks every answer, and connects to those addresses by number.

    TLS still asks for and verifies the name; the Host header is the caller's.
    """

    def __init__(self, policy: Policy) -> None:
        super().__init__()
        self._policy = policy

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Raise AddressRefused before anything is sent; otherwise as HTTPTransport does."""
        host, port = request.url.host, request.url.port or (443, 80)[request.url.scheme == "http"]
        self._policy.check_port(port)
        addresses = _look_up(host, port)
        for address in addresses:
            self._policy.check_address(address)
        for address in addresses[:-1]:
            try:
                return super().handle_request(at_address(request, address))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue  # nothing was sent; a name often has an address that is not served
        return super().handle_request(at_address(request, addresses[-1]))


def guarded_client(policy: Policy, timeout: float) -> httpx2.Client:
    """A client that follows no redirect and reads no proxy from the environment."""
    return httpx2.Client(
        transport=GuardedTransport(policy), timeout=timeout, follow_redirects=False, trust_env=False
    )


def _look_up(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_rest, address in found))


def at_address(request: httpx2.Request, address: str) -> httpx2.Request:
    """The same request, sent to this address."""
    extensions = dict(request.extensions)
    if not _is_address(request.url.host):
        extensions["sni_hostname"] = request.url.host
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions=extensions,
    )


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
