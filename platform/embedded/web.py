"""The web process: Daphne on uvloop, with limits and a stop that loses nothing."""

import asyncio
import ctypes
import logging
import resource
import signal
from contextlib import suppress

import uvloop
from django.conf import settings
from django.utils.module_loading import import_string

asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())  # before Daphne makes its loop
import daphne.server  # noqa: E402, F401 (first of Twisted's users: it installs the reactor)

# isort: split
from daphne.endpoints import build_endpoint_description_strings  # noqa: E402
from twisted.internet import reactor  # noqa: E402

from embedded.limited_server import LimitedServer  # noqa: E402
from embedded.limits import Limits  # noqa: E402
from embedded.seal import Sealed  # noqa: E402
from embedded.tether import follow_parent  # noqa: E402
from observability.draining import start_draining  # noqa: E402
from observability.interpreter import tune  # noqa: E402

log = logging.getLogger(__name__)
UNFINISHED_SECONDS = 20
CLOSING_SECONDS = 3
CONNECTIONS = 65_536
BACKLOG = 2048  # thousands may knock at once after a restart; Twisted's 50 would send them away
M_ARENA_MAX = -8  # of glibc's malloc.h
CLOSE_CODE = 1012  # "service restart": clients come back, to another process
FORM_BYTES = 2**20  # what a form adds around one file of the largest size


def serve(host: str, port: int, *, application: str = "", limits: Limits | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    follow_parent()
    allow_many_connections()
    share_memory_among_threads()
    sealed = Sealed(import_string(application or settings.ASGI_APPLICATION))
    server = LimitedServer(
        limits or Limits(body_bytes=_largest_upload() + FORM_BYTES),
        application=sealed,
        endpoints=[
            f"{place}:backlog={BACKLOG}"
            for place in build_endpoint_description_strings(host=host, port=port)
        ],
        signal_handlers=False,
        websocket_timeout=86400,
        ping_interval=20,
        ping_timeout=30,
        # Only the header our proxy sets itself: the first entry of X-Forwarded-For is the client's.
        proxy_forwarded_address_header="X-Real-IP" if settings.PARLEY_BEHIND_PROXY else None,
        verbosity=0,
        server_name="parley",
    )
    stop = Stop(server, sealed)
    loop = reactor._asyncioEventloop
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.request)
    tune()
    log.info("web listens on %s:%s", host, port)
    server.run()
    log.info("web has stopped")


def _largest_upload() -> int:
    """What one file may have, of any kind; who takes it knows the limit of its own."""
    largest: int = max(settings.PARLEY_MAX_UPLOAD_MB, settings.PARLEY_MAX_IMPORT_MB)
    return largest * 2**20


def share_memory_among_threads() -> None:
    """Each request has a thread of its own, and glibc would keep memory apart for each of them."""
    with suppress(AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 2)


def allow_many_connections() -> None:
    """Each connection is an open file, of which a process usually may have 1,024 unless it asks."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS if hard == resource.RLIM_INFINITY else min(hard, CONNECTIONS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


class Stop:
    """The end of a web process: not ready, wait for the proxy, finish requests, close sockets."""

    def __init__(self, server: LimitedServer, sealed: Sealed) -> None:
        self.server = server
        self.sealed = sealed
        self.task: asyncio.Task[None] | None = None

    def request(self) -> None:
        """Begin once; a second signal ends it at once."""
        if self.task is None:
            self.task = asyncio.get_running_loop().create_task(self._stop())
        else:
            self.server.stop()

    async def _stop(self) -> None:
        start_draining()
        await asyncio.sleep(settings.PARLEY_DRAIN_SECONDS)
        for listener in self.server.listeners:
            listener.addCallback(lambda port: port.stopListening())
        sockets = self.server.open_sockets()
        for socket in sockets:
            socket.sendCloseFrame(code=CLOSE_CODE)
        await self.sealed.finish(UNFINISHED_SECONDS)
        if sockets:  # a question that is being stored becomes one; its client asks for it again
            await asyncio.wait(sockets.values(), timeout=CLOSING_SECONDS)
        self.server.stop()
