"""Daphne's WebSocket with limits in both directions: what waits for the client, and for us."""

import asyncio
import struct
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

    def sendMessage(  # noqa: N802 (Autobahn's name)
        self,
        payload: bytes,
        isBinary: bool = False,  # noqa: N803
        *args: Any,
        **options: Any,
    ) -> None:
        """A whole message in one frame, written now: most of what Autobahn does with it, and the
        way through the reactor, is for frames that we do not send."""
        if args or options or self.state != self.STATE_OPEN or self._perMessageCompress is not None:
            super().sendMessage(payload, isBinary, *args, **options)
            return
        frame = frame_head(len(payload), is_binary=isBinary) + payload
        if self._is_clear:
            sent = self.transport.writeSomeData(frame)
            frame = frame[sent:] if isinstance(sent, int) else frame
        if frame:  # what does not fit, or fails, is left to the reactor
            self.transport.write(frame)

    @property
    def _is_clear(self) -> bool:
        """Whether nothing waits before what is written now: then the reactor need not be told."""
        transport = self.transport
        is_open = transport.connected and not (transport.disconnecting or transport.TLS)
        has_waiting = transport.dataBuffer or transport._tempDataBuffer
        return bool(is_open and not has_waiting)

    def inbox(self) -> SocketInbox:
        return SocketInbox(self.transport, self.server.limits.messages_waiting)


def frame_head(size: int, *, is_binary: bool) -> bytes:
    """Of an unmasked frame that is a message by itself (RFC 6455, 5.2)."""
    first = 0x82 if is_binary else 0x81
    if size < 126:
        return bytes((first, size))
    if size < 2**16:
        return struct.pack(">BBH", first, 126, size)
    return struct.pack(">BBQ", first, 127, size)


class LimitedSocketFactory(WebSocketFactory):  # type: ignore[misc]
    protocol = LimitedSocket

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """A client hears why it is cut off, in a close frame: 1009 for what is too large."""
        super().__init__(*arguments, **options)
        self.setProtocolOptions(failByDrop=False)
