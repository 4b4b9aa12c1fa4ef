"""Runs Parley's processes, and the servers below them, on one machine until it is told to stop.

It stays small: no Django, no threads. Everything heavy happens in children.
"""

import selectors
import signal
import socket
import time
from collections.abc import Callable
from types import FrameType

from embedded.children import Child, warn_of_restart
from embedded.console import say_warning
from embedded.errors import StartupError
from embedded.servers import Server

DRAIN_SECONDS = 28
HOPELESS_AFTER = 4  # starts that fail before Parley was ever ready
READY_EVERY_SECONDS = 0.2
PATIENCE_SECONDS = 60


class Supervisor:
    """Keeps `children` and `servers` running; `run` returns when SIGINT or SIGTERM arrived and all
    children are gone. The servers are left to who started them."""

    def __init__(
        self, children: list[Child], address: tuple[str, int], servers: list[Server]
    ) -> None:
        self.children = children
        self.servers = servers
        self.address = address
        self.is_ready = False
        self._stops = 0
        self._ask_again_at = 0.0
        self._patience_ends_at = time.monotonic() + PATIENCE_SECONDS
        self._remember: Callable[[], None] = lambda: None
        self._selector = selectors.DefaultSelector()

    def request_stop(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        self._stops += 1

    def pids(self) -> list[int]:
        return [child.process.pid for child in self.children if child.process]

    def run(self, announce: Callable[[], None], remember: Callable[[], None]) -> None:
        """Keep everything running until a stop, then drain the children; raises `StartupError`,
        also after draining them, when something does not stay up.

        `announce` is called once, when /ready answers; `remember` whenever a child was started.
        """
        self._remember = remember
        try:
            for child in self.children:
                child.start(self._selector)
            remember()
            while not self._stops:
                self._pump(0.1)
                for server in self.servers:
                    server.look_after()
                self._restart_the_dead()
                if not self.is_ready and self._is_ready_now():
                    announce()
        finally:
            self.drain()

    def _is_ready_now(self) -> bool:
        """Ask /ready at most every 0.2 s; tell a person who has waited for a minute."""
        now = time.monotonic()
        if now < self._ask_again_at:
            return False
        self.is_ready = answers_ready(self.address)
        self._ask_again_at = time.monotonic() + READY_EVERY_SECONDS
        if not self.is_ready and now > self._patience_ends_at:
            self._patience_ends_at = now + PATIENCE_SECONDS
            say_warning("Not ready yet; `manage.py doctor` says what is missing.")
        return self.is_ready

    def drain(self) -> None:
        """SIGTERM to all at once; SIGKILL after 28 s, or when a second stop is asked for."""
        asked_before = self._stops
        for child in self.children:
            child.send(signal.SIGTERM)
        deadline = time.monotonic() + DRAIN_SECONDS
        while any(child.is_running() for child in self.children):
            self._pump(0.05)
            if time.monotonic() > deadline or self._stops > max(asked_before, 1):
                for child in self.children:
                    child.send(signal.SIGKILL)
                deadline = time.monotonic() + DRAIN_SECONDS
                asked_before = self._stops
        for child in self.children:
            if child.has_died():
                child.bury(self._selector)

    def _pump(self, seconds: float) -> None:
        for key, _events in self._selector.select(seconds):
            child: Child = key.data
            child.pump()
        if not self._selector.get_map():
            time.sleep(seconds)

    def _restart_the_dead(self) -> None:
        for child in self.children:
            if child.has_died():
                status = child.bury(self._selector)
                if not self.is_ready and child.back_off.failures >= HOPELESS_AFTER:
                    raise StartupError(
                        f"`manage.py {child.arguments[0]}` does not stay up: {child.last_line}"
                    )
                warn_of_restart(child, status)
            elif child.process is None and child.back_off.is_over():
                child.start(self._selector)
                self._remember()


def answers_ready(address: tuple[str, int]) -> bool:
    """Whether GET /ready there is answered with 200."""
    host, port = address
    request = f"GET /ready HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((reachable(host), port), timeout=2) as client:
            client.sendall(request.encode())
            return b" 200 " in client.recv(64)
    except OSError:
        return False


def reachable(host: str) -> str:
    """The address to ask at, for a server that listens on every address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
