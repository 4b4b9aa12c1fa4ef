"""The socket at /ws/, one for each browser tab: frames of contracts.md and docs/socket.md.

No work runs here: a question becomes rows for the runner, answers come from `events.hub`.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import orjson
from channels.consumer import get_handler_name
from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import Error
from django.http import Http404
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from chat.errors import ChatError
from chat.live import frames
from chat.live.beginning import Begun, begin
from chat.live.guard import current_guard
from chat.live.languages import language_of
from chat.live.origins import is_own_origin
from chat.live.pump import Pump
from chat.live.requests import (
    InvalidFrame,
    StartTurn,
    Steer,
    decode,
    key_of,
    parse_stream,
    parse_uuid,
)
from chat.live.tabs import current_board
from chat.live.visitors import Visitor, find_user, may_follow
from chat.models import Turn
from chat.services import stop_turn
from chat.visibility import Screen
from events.hub import Subscription, current_hub
from observability.db import run_sync
from observability.postgres import direct
from observability.version import shell_version
from security.rate_limits import Action, LimitReached, network_of, spend_soon
from security.rates import Per

log = logging.getLogger(__name__)

SIGNED_OUT = 4401
MAX_STREAMS = 64  # followed by one socket at once


class SignedOut(Exception):
    """The session that opened this socket is over."""


class ChatConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    visitor: Visitor
    screen: Screen
    language = settings.LANGUAGE_CODE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pumps: dict[UUID, Pump] = {}
        self._is_open = False
        self._handlers = {
            "turn.start": self._start_turn,
            "turn.stop": self._stop_turn,
            "turn.steer": self._steer,
            "subscribe": self._subscribe,
            "unsubscribe": self._unsubscribe,
            "ack": self._acknowledge,
            "changes": self._hear_of_changes,
            "ping": self._pong,
        }

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._leave()

    async def dispatch(self, message: dict[str, Any]) -> None:
        """As Channels does it, without a hop to its one database thread for every frame."""
        await getattr(self, get_handler_name(message))(message)

    async def connect(self) -> None:
        user = self.scope.get("user")
        session = self.scope.get("session")
        if not is_own_origin(self.scope) or session is None:
            await self.close()
            return
        if not isinstance(user, User) or not user.is_active or not session.session_key:
            await self.close()
            return
        self.visitor = Visitor(user.pk, session.session_key, user.password)
        self.address = network_of((self.scope.get("client") or ("",))[0])
        self.language = language_of(self.scope, user)
        self.screen = Screen(user, self.language)
        self._is_open = True
        await self.accept()
        current_guard().watch(self)
        await direct.open_soon()

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        await self._leave()
        raise StopConsumer

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Handle one frame; whatever is wrong with it is said in a `refused` frame."""
        frame: dict[str, Any] = {}
        with translation.override(self.language):
            try:
                frame = decode(text_data or bytes_data or b"")
                await self._handler(frame)(frame)
            except SignedOut:
                await self.turn_out()
            except (InvalidFrame, ChatError, LimitReached) as error:
                await self._refuse(frame, error.name, str(error.title), str(error))
            except Http404:
                detail = _("There is nothing here that you may see or change.")
                await self._refuse(frame, "not-found", _("Not found"), detail)
            except Error:
                log.exception("a frame could not be handled")
                detail = _("Try again in a few seconds.")
                await self._refuse(frame, "unavailable", _("Not available at the moment"), detail)

    # -- for the guard ------------------------------------------------------------

    def followed(self) -> set[UUID]:
        return set(self._pumps)

    async def turn_out(self) -> None:
        """The person is signed out or disabled."""
        if self._is_open:
            await self._leave()
            await self.close(SIGNED_OUT)

    async def forbid(self, stream_id: UUID) -> None:
        """The person may not see this stream any more."""
        await self._drop(stream_id)
        await self._send(frames.reload(str(stream_id)))

    async def tell(self, what: str, conversation: str | None, turn: str | None) -> None:
        """For the board: something changed."""
        await self._send(frames.changed(what, conversation, turn))

    # -- frames of the client ------------------------------------------------------

    async def _start_turn(self, frame: dict[str, Any]) -> None:
        request = StartTurn.parse(frame)
        who = {Per.PERSON: str(self.visitor.user_id), Per.ADDRESS: self.address}
        await spend_soon(current_hub().line, Action.TURNS, who)  # the buckets of the JSON API
        turn: Turn | Begun = await begin(self.visitor, request) or await self._as_user(
            lambda user, request: request.start(user), request
        )
        await self._send(frames.accepted(request.id, turn))
        if turn.pk not in self._pumps:
            is_new = turn.status == Turn.Status.QUEUED
            self._follow(current_hub().subscribe(turn.pk, is_new=is_new))

    async def _stop_turn(self, frame: dict[str, Any]) -> None:
        turn_id = frame.get("turn_id") or frame.get("turn") or frame.get("stream")
        await self._as_user(stop_turn, parse_uuid("turn_id", turn_id))

    async def _steer(self, frame: dict[str, Any]) -> None:
        request = Steer.parse(frame)
        note = await self._as_user(request.say, self.address)
        await self._send(frames.noted(request.id, note.run_id, note.pk))

    async def _subscribe(self, frame: dict[str, Any]) -> None:
        """Follow a stream after a position; one that is followed already starts anew from there."""
        stream_id, after = parse_stream(frame, "after")
        known = self._pumps.get(stream_id)
        if known is not None and after >= known.sent:
            return
        if len(self._pumps) >= MAX_STREAMS:
            raise InvalidFrame(_("Too many streams are followed at once."))
        if not await self._as_user(may_follow, stream_id):
            raise Http404
        await self._drop(stream_id)
        self._follow(current_hub().subscribe(stream_id, after))

    async def _unsubscribe(self, frame: dict[str, Any]) -> None:
        await self._drop(parse_uuid("stream", frame.get("stream")))

    async def _acknowledge(self, frame: dict[str, Any]) -> None:
        stream_id, seq = parse_stream(frame, "seq")
        if pump := self._pumps.get(stream_id):
            pump.acknowledge(seq)

    async def _hear_of_changes(self, frame: dict[str, Any]) -> None:
        current_board().watch(self)
        await self._send(frames.changes(shell_version()))

    async def _pong(self, frame: dict[str, Any]) -> None:
        await self._send({"type": "pong"})

    # -- inside -------------------------------------------------------------------

    def _handler(self, frame: dict[str, Any]) -> Callable[[dict[str, Any]], Awaitable[None]]:
        kind = frame.get("type")
        handler = self._handlers.get(kind) if isinstance(kind, str) else None
        if handler is None:
            raise InvalidFrame(_("Unknown type of frame."))
        return handler

    async def _as_user(self, act: Callable[..., Any], argument: Any) -> Any:
        """Call `act(user, argument)` in one trip to a thread. Raises SignedOut."""

        def call() -> Any:
            user = find_user(self.visitor)
            if user is None:
                raise SignedOut
            return act(user, argument)

        return await run_sync(call)

    def _follow(self, subscription: Subscription) -> None:
        stream_id = subscription.stream_id

        def forget() -> None:
            if self._pumps.get(stream_id) is pump:
                del self._pumps[stream_id]

        pump = Pump(subscription, self.screen, self._send, forget)
        self._pumps[stream_id] = pump

    async def _drop(self, stream_id: UUID) -> None:
        if pump := self._pumps.pop(stream_id, None):
            await pump.close()

    async def _refuse(self, frame: dict[str, Any], problem: str, title: str, detail: str) -> None:
        await self._send(frames.refused(key_of(frame), problem, title, detail))

    async def _send(self, frame: frames.Frame) -> None:
        if self._is_open:
            await self.base_send({"type": "websocket.send", "text": orjson.dumps(frame).decode()})

    async def _leave(self) -> None:
        if self._is_open:
            self._is_open = False
            current_guard().leave(self)
            current_board().leave(self)
        for stream_id in list(self._pumps):
            await self._drop(stream_id)
