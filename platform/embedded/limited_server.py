"""Daphne's server, whose connections have limits; everything else is Daphne's."""

import asyncio
from functools import partial
from typing import Any

from daphne.http_protocol import HTTPFactory
from daphne.server import Server
from daphne.ws_protocol import WebSocketFactory
from twisted.internet.defer import Deferred

from embedded.limited_http import LimitedFactory
from embedded.limited_socket import LimitedSocket, LimitedSocketFactory
from embedded.limits import Limits

PARTS = {"http.response.body", "websocket.send"}


class LimitedServer(Server):  # type: ignore[misc]
    def __init__(self, limits: Limits, **options: Any) -> None:
        super().__init__(
            http_timeout=limits.response_seconds,
            application_close_timeout=limits.left_seconds,
            websocket_connect_timeout=limits.handshake_seconds,
            websocket_handshake_timeout=limits.handshake_seconds,
            websocket_max_message_size=limits.message_bytes,
            websocket_max_frame_size=limits.message_bytes,
            **options,
        )
        self.limits = limits

    @property
    def http_factory(self) -> LimitedFactory:
        return self._http_factory

    @http_factory.setter
    def http_factory(self, _plain: HTTPFactory) -> None:
        """Daphne makes its own factories inside `run`; ours take their places."""
        self._http_factory = LimitedFactory(self)

    @property
    def ws_factory(self) -> LimitedSocketFactory:
        return self._ws_factory

    @ws_factory.setter
    def ws_factory(self, _plain: WebSocketFactory) -> None:
        self._ws_factory = LimitedSocketFactory(self, server=self.server_name)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """As Daphne does it, with an inbox that keeps neither bodies nor frames in memory."""
        if protocol not in self.connections:
            return None
        inbox = protocol.inbox()
        scope.setdefault("asgi", {"version": "3.0"})
        running = self.application(scope, inbox.get, partial(self.handle_reply, protocol))
        self.connections[protocol]["application_instance"] = asyncio.ensure_future(running)
        return inbox

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Pass on what the application sends, and let it wait for a client that falls behind."""
        await super().handle_reply(protocol, message)
        if message["type"] in PARTS:
            await protocol.valve.passed()

    def open_sockets(self) -> dict[LimitedSocket, asyncio.Task[None]]:
        """The sockets whose application has not ended, and those applications."""
        return {
            protocol: task
            for protocol, task in self._running().items()
            if isinstance(protocol, LimitedSocket)
        }

    def kill_all_applications(self) -> Deferred[Any]:
        """What is left at the end. (Daphne's own stumbles over connections between requests.)"""
        left = self._running().values()
        for task in left:
            task.cancel()
        ended = asyncio.gather(*left, return_exceptions=True)
        return Deferred.fromFuture(ended).addErrback(lambda _failure: None)

    def _running(self) -> dict[Any, asyncio.Task[None]]:
        tasks = {
            protocol: details.get("application_instance")
            for protocol, details in self.connections.items()
        }
        return {protocol: task for protocol, task in tasks.items() if task and not task.done()}
