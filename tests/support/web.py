"""The other side of a fetch: a web server with odd pages, forbidden listeners, name look-ups.

with serve({"/": page(b"Hello")}) as site, listen() as canary:
    ...
    assert canary.connections == []
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiohttp.abc import AbstractResolver, ResolveResult

SITE = "127.0.0.3"  # stands for the public internet; every other loopback address is forbidden
Page = Callable[[BaseHTTPRequestHandler], None]


class Site(ThreadingHTTPServer):
    """A server at `SITE`; `heard` are the paths and headers of its requests."""

    daemon_threads = True

    def __init__(self, pages: Mapping[str, Page]) -> None:
        super().__init__((SITE, 0), _Handler)
        self.pages = pages
        self.heard: list[tuple[str, Mapping[str, str]]] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def at(self, path: str, host: str = SITE) -> str:
        return f"http://{host}:{self.port}{path}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert isinstance(self.server, Site)
        self.server.heard.append((self.path, dict(self.headers.items())))
        self.close_connection = True
        found = self.server.pages.get(self.path.partition("?")[0])
        with suppress(ConnectionError):
            (found or page(b"", status=404))(self)

    do_POST = do_GET  # noqa: N815 (the name http.server looks for)

    def log_message(self, *arguments: object) -> None:
        """Quiet."""


def page(body: bytes, media_type: str = "text/html", *, status: int = 200, **headers: str) -> Page:
    """A page as servers send it; header names are written with underscores."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        sent = {"Content-Type": media_type, "Content-Length": str(len(body))} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        handler.send_response(status)
        for name, value in sent.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def redirect(location: str, status: int = 302) -> Page:
    return page(b"", status=status, Location=location)


@contextmanager
def serve(pages: Mapping[str, Page]) -> Iterator[Site]:
    site = Site(pages)
    thread = threading.Thread(target=site.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.shutdown()
        site.server_close()
        thread.join()


class Canary:
    """Listens on one port at many loopback addresses, and must never be reached."""

    ADDRESSES = ("127.0.0.1", "127.0.0.2", "127.255.255.254", "::1")

    def __init__(self) -> None:
        self.connections: list[str] = []
        self._sockets: list[socket.socket] = []
        self.port = 0
        for address in self.ADDRESSES:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            with suppress(OSError):  # no IPv6 here, or the port is taken at this address
                listener = socket.create_server((address, self.port), family=family)
                self.port = listener.getsockname()[1]
                self._sockets.append(listener)
                threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, peer = listener.accept()
                self.connections.append(str(peer))
                connection.close()

    def close(self) -> None:
        for listener in self._sockets:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()


@contextmanager
def listen() -> Iterator[Canary]:
    canary = Canary()
    try:
        yield canary
    finally:
        canary.close()


_attempts: list[list[object]] = []


def _hook(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.connect":
        for attempts in _attempts:
            attempts.append(arguments[1])


@contextmanager
def connections_attempted() -> Iterator[list[object]]:
    """Where this process tries to connect meanwhile, reached or not, as the interpreter sees it."""
    if not getattr(_hook, "is_installed", False):
        sys.addaudithook(_hook)
        _hook.is_installed = True  # type: ignore[attr-defined]
    attempts: list[object] = []
    _attempts.append(attempts)
    try:
        yield attempts
    finally:
        _attempts.remove(attempts)


class ScriptedNames(AbstractResolver):
    """Names with their answers in turn; the last answer stays. `asked` counts look-ups."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {name.replace("_", "."): list(turns) for name, turns in answers.items()}
        self.asked = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked += 1
        turns = self.answers.get(host)
        if turns is None:
            raise OSError(None, f"no such name: {host}")
        addresses = turns.pop(0) if len(turns) > 1 else turns[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is open."""
