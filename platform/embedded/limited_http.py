"""Daphne's HTTP with limits: for the size of a body, for slowness, and for what headers may hold.

Daphne reads a whole body before the application runs, and then holds it in memory: 300 MB sent by
nobody in particular would stay in the process. (Measured with daphne 4.2.3; its issue 483.)
"""

import asyncio
from io import BytesIO
from typing import IO, Any

import orjson
from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.internet import reactor
from twisted.web.http import HTTPChannel

from embedded.valve import Valve, bound_kernel_buffer
from observability.metrics import connections_cut

CHUNK_BYTES = 64 * 1024
CONTROLS = bytes(range(0x09)) + bytes(range(0x0A, 0x20)) + b"\x7f"  # all but the tab
SAFE_HEADERS = [
    (b"Content-Type", b"application/problem+json"),
    (b"Cache-Control", b"no-store"),
    (b"X-Content-Type-Options", b"nosniff"),
    (b"Referrer-Policy", b"same-origin"),
    (b"Cross-Origin-Opener-Policy", b"same-origin"),
    (b"Content-Security-Policy", b"default-src 'none'; frame-ancestors 'none'"),
]


def _problem(status: int, title: str, detail: str) -> bytes:
    body = {"type": "about:blank", "status": status, "title": title, "detail": detail}
    return orjson.dumps(body) + b"\n"


def _refusal(status: int, title: str, detail: str) -> bytes:
    """A whole response, for requests that never become one of the application's."""
    body = _problem(status, title, detail)
    lines = [b"HTTP/1.1 %d %s" % (status, title.encode()), b"Connection: close"]
    lines += [b"%s: %s" % header for header in SAFE_HEADERS]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body), b"", body])


TOO_LARGE = _refusal(413, "Content Too Large", "This request is larger than this server accepts.")
TOO_SLOW = _refusal(408, "Request Timeout", "This request came too slowly. Send it again.")


class Inbox(asyncio.Queue[dict[str, Any]]):
    """What an application receives: the body as it asks for it, from the file it waits in."""

    def __init__(self, body: IO[bytes]) -> None:
        super().__init__()
        self._body = body
        self._has_more = True

    def put_nowait(self, message: dict[str, Any]) -> None:
        if message["type"] != "http.request":  # Daphne's copy of the body
            super().put_nowait(message)

    async def get(self) -> dict[str, Any]:
        if not self._has_more or self._body.closed:
            return await super().get()
        chunk = self._body.read(CHUNK_BYTES)
        self._has_more = len(chunk) == CHUNK_BYTES
        return {"type": "http.request", "body": chunk, "more_body": self._has_more}


class LimitedRequest(WebRequest):  # type: ignore[misc]
    """A request that is cut off as soon as it is known to be too large."""

    received = 0
    content: IO[bytes]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Twisted would parse forms too, in memory, and answer 400 without a word to a bad one."""
        super().__init__(*arguments, **options, parsePOSTFormSubmission=False)
        self.valve = Valve(self.channel.transport, self.server.limits.unread_seconds)
        self.body: IO[bytes] = BytesIO()

    def gotLength(self, length: int | None) -> None:  # noqa: N802 (Twisted's name)
        super().gotLength(length)
        if length is not None and length > self.server.limits.body_bytes:
            self.requestHeaders.removeHeader(b"Expect")
            self.channel.refuse("too_large", TOO_LARGE)

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        self.received += len(data)
        if self.received > self.server.limits.body_bytes:
            self.channel.refuse("too_large", TOO_LARGE)
        else:
            super().handleContentChunk(data)

    def process(self) -> Any:
        for _name, values in self.requestHeaders.getAllRawHeaders():
            if any(len(value.translate(None, CONTROLS)) != len(value) for value in values):
                self.basic_error(400, b"Bad Request", "Invalid header value")
                return None
        self.body, self.content = self.content, BytesIO()  # Daphne would load it into memory
        self.body.seek(0)
        self.registerProducer(self.valve, True)
        return super().process()

    def inbox(self) -> Inbox:
        return Inbox(self.body)

    def finish(self) -> None:
        self._leave()
        super().finish()

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 (Twisted's name)
        self._leave()
        super().connectionLost(reason)

    def _leave(self) -> None:
        self.body.close()
        if self.producer is not None:
            self.unregisterProducer()
            self.valve.stopProducing()

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """What Daphne itself has to say, in the words and with the headers of all our answers."""
        self.channel.persistent = 0
        headers = [*SAFE_HEADERS, (b"Connection", b"close")]
        self.handle_reply({"type": "http.response.start", "status": status, "headers": headers})
        said = _problem(status, status_text.decode(), body)
        self.handle_reply({"type": "http.response.body", "body": said})


class LimitedChannel(HTTPChannel):  # type: ignore[misc]
    """One connection: its headers must be complete in time, and its bodies keep coming."""

    _alarm: Any = None
    _is_idle = False

    @property
    def limits(self) -> Any:
        return self.factory.server.limits

    def connectionMade(self) -> None:  # noqa: N802 (Twisted's name)
        super().connectionMade()
        bound_kernel_buffer(self.transport)
        self._expect_headers()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        if self._is_idle:
            self._expect_headers()
        super().dataReceived(data)

    def allHeadersReceived(self) -> None:  # noqa: N802 (Twisted's name)
        self._set_alarm(None)
        super().allHeadersReceived()
        if self.length != 0:
            self._expect_more(self.requests[-1], 0)

    def allContentReceived(self) -> None:  # noqa: N802 (Twisted's name)
        self._set_alarm(None)
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:  # noqa: N802 (Twisted's name)
        self._is_idle = True
        super().requestDone(request)

    def connectionLost(self, reason: Any) -> None:  # noqa: N802 (Twisted's name)
        self._set_alarm(None)
        super().connectionLost(reason)

    def refuse(self, why: str, answer: bytes) -> None:
        """Say why and close; once."""
        self._set_alarm(None)
        if not self.transport.disconnecting:
            connections_cut.labels(why).inc()
            self.transport.write(answer)
            self.loseConnection()

    def _expect_headers(self) -> None:
        self._is_idle = False
        self._set_alarm(self.limits.header_seconds, self.refuse, "slow_headers", TOO_SLOW)

    def _expect_more(self, request: LimitedRequest, seen: int) -> None:
        """Look again after a while whether the body kept its pace."""
        if request.received < seen:
            self.refuse("slow_body", TOO_SLOW)
        else:
            next_ = request.received + self.limits.body_pace
            self._set_alarm(self.limits.body_seconds, self._expect_more, request, next_)

    def _set_alarm(self, seconds: float | None, *call: Any) -> None:
        if self._alarm is not None and self._alarm.active():
            self._alarm.cancel()
        self._alarm = None if seconds is None else reactor.callLater(seconds, *call)


class LimitedFactory(HTTPFactory):  # type: ignore[misc]
    protocol = LimitedChannel

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 (Twisted's name)
        channel = super().buildProtocol(addr)
        channel.requestFactory = LimitedRequest
        channel.timeOut = self.server.limits.idle_seconds
        return channel
