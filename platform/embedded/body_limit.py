"""Refuses a request body that is too large while it arrives, and leaves reading it to Django.

Daphne reads a whole body before the application runs, and then holds it in memory: 300 MB sent by
nobody in particular would stay in the process. (Measured with daphne 4.2.3; its issue 483.)
"""

from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from daphne.server import Server

TOO_LARGE = (
    b"HTTP/1.1 413 Content Too Large\r\n"
    b"Content-Type: application/problem+json\r\n"
    b"Connection: close\r\n\r\n"
    b'{"type":"about:blank","status":413,"title":"Content Too Large",'
    b'"detail":"This request is larger than this server accepts."}\n'
)


class LimitedRequest(WebRequest):  # type: ignore[misc]
    """A request that is cut off as soon as it is known to be too large."""

    received = 0

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Twisted would parse forms too, in memory, and answer 400 without a word to a bad one."""
        super().__init__(*arguments, **options, parsePOSTFormSubmission=False)

    def gotLength(self, length: int | None) -> None:  # noqa: N802 (Twisted's name)
        super().gotLength(length)
        if length is not None and length > self.server.max_body_bytes:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        self.received += len(data)
        if self.received > self.server.max_body_bytes:
            self._refuse()
        else:
            super().handleContentChunk(data)

    def _refuse(self) -> None:
        if not self.channel.transport.disconnecting:
            self.channel.transport.write(TOO_LARGE)
            self.channel.loseConnection()


class LimitedFactory(HTTPFactory):  # type: ignore[misc]
    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 (Twisted's name)
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = LimitedRequest
        return protocol


class LimitedServer(Server):  # type: ignore[misc]
    """Daphne's server with a limit for bodies; everything else is Daphne's."""

    def __init__(self, *, max_body_bytes: int, **options: Any) -> None:
        super().__init__(**options)
        self.max_body_bytes = max_body_bytes

    @property
    def http_factory(self) -> LimitedFactory:
        return self._limited_factory

    @http_factory.setter
    def http_factory(self, _plain: HTTPFactory) -> None:
        """Daphne makes its own factory inside `run`; ours takes its place."""
        self._limited_factory = LimitedFactory(self)
