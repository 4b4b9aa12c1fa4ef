"""Keeps an application from writing faster than its client reads.

Daphne never pushes back: 187 MB for a client that read nothing were accepted in 0.4 s and stayed in
memory. (Measured with daphne 4.2.3; its issue 170.) Twisted knows when a client falls behind.
"""

import asyncio
import socket
from typing import Any

from twisted.internet import reactor

from observability.metrics import connections_cut

UNSENT_BYTES = 128 * 1024  # may wait in the kernel; what is on its way is the network's business


class Valve:
    """What Twisted calls a push producer, with nothing to produce: it says when to go on.

    Twisted closes it when more than 64 KB wait for the client and opens it when all of that has
    gone out. A client that leaves it closed for `patience` seconds is cut off.
    """

    def __init__(self, transport: Any, patience: float) -> None:
        self._transport = transport
        self._patience = patience
        self._open = asyncio.Event()
        self._open.set()
        self._alarm: Any = None

    async def passed(self) -> None:
        """Wait until the client has read what it was sent, or is gone; others get their turn."""
        await asyncio.sleep(0)
        await self._open.wait()

    def pauseProducing(self) -> None:  # noqa: N802 (Twisted's name)
        if self._alarm is None:
            self._open.clear()
            self._alarm = reactor.callLater(self._patience, self._cut_off)

    def resumeProducing(self) -> None:  # noqa: N802 (Twisted's name)
        self._open.set()
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        self._alarm = None
        if self._transport.disconnecting:  # Twisted would wait for more to write
            self._transport.unregisterProducer()

    stopProducing = resumeProducing  # noqa: N815 (Twisted's name)

    def _cut_off(self) -> None:
        connections_cut.labels("unread").inc()
        self._transport.abortConnection()


def bound_kernel_buffer(transport: Any) -> None:
    """Otherwise the kernel takes up to 4 MB for a client that reads nothing."""
    if (option := getattr(socket, "TCP_NOTSENT_LOWAT", None)) is not None:
        transport.getHandle().setsockopt(socket.IPPROTO_TCP, option, UNSENT_BYTES)
