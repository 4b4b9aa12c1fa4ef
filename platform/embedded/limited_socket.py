"""Daphne's WebSocket with limits in both directions: what waits for the client, and for us."""

import asyncio
from typing import Any

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from embedded.valve import Valve


class SocketInbox(asyncio.Queue[dict[str, Any]]):
    """Frames for the application; while too many wait, no more are read from the network."""

    def __init__(self, transport: Any, limit: int) -> None:
        super().__init__()
        self._transport = transport
        self._limit = limit
        self._is_paused = False

    def put_nowait(self, message: dict[str, Any]) -> None:
        super().put_nowait(message)
        if self.qsize() > self._limit and not self._is_paused:
            self._is_paused = True
            self._transport.pauseProducing()

    async def get(self) -> dict[str, Any]:
        message = await super().get()
        if self._is_paused and self.empty():
            self._is_paused = False
            self._transport.resumeProducing()
        return message


class LimitedSocket(WebSocketProtocol):  # type: ignore[misc]
    def connectionMade(self) -> None:  # noqa: N802 (Twisted's name)
        super().connectionMade()
        limits = self.factory.server_class.limits
        self.valve = Valve(self.transport, limits.unread_seconds)
        self.transport.unregisterProducer()  # the HTTP channel it was before
        self.transport.registerProducer(self.valve, True)

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 (Twisted's name)
        self.valve.stopProducing()
        super().connectionLost(reason)

    def inbox(self) -> SocketInbox:
        return SocketInbox(self.transport, self.server.limits.messages_waiting)


class LimitedSocketFactory(WebSocketFactory):  # type: ignore[misc]
    protocol = LimitedSocket

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """A client hears why it is cut off, in a close frame: 1009 for what is too large."""
        super().__init__(*arguments, **options)
        self.setProtocolOptions(failByDrop=False)
