"""`stream_chat`: one question to a model, whoever serves it, and somebody always answers.

Deployments are asked by priority until one has said its first word; after that an error is the
caller's to show. When every deployment of a connected model is out of order, the offline answerer
stands in, and the stream says so with an EndpointSwitched before its first delta.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

from gateway.errors import GatewayError, RateLimited
from gateway.metering import record_call
from gateway.offline.answerer import stream_offline
from gateway.routing.routes import find_routes
from gateway.types import (
    OFFLINE,
    CallRecord,
    ChatRequest,
    Completed,
    EndpointSwitched,
    FindRoutes,
    RecordCall,
    Route,
    StreamItem,
    TokenUsage,
)
from gateway.upstream.call import open_call

LONGEST_PAUSE = 5.0  # seconds that a 429 of the only endpoint is waited for


async def stream_chat(
    request: ChatRequest,
    *,
    routes: FindRoutes = find_routes,
    record: RecordCall = record_call,
) -> AsyncGenerator[StreamItem, None]:
    """Yield deltas and, last, Completed; raise GatewayError when the answer fails.

    Close the iterator (`aclosing`) to stop: the connection upstream is closed at once. No database
    connection is held while it runs.
    """
    found = await routes(request.model)
    for number, route in enumerate(found):
        following = found[number + 1].endpoint if number + 1 < len(found) else OFFLINE
        attempt = Attempt(request, route, record, is_last=following == OFFLINE)
        try:
            async with aclosing(attempt.stream()) as items:
                async for item in items:
                    yield item
        except GatewayError as error:
            if attempt.has_spoken or not _may_go_on(error, following):
                raise
            yield EndpointSwitched(route.endpoint, following, error.type, str(error))
        else:
            return
    async with aclosing(stream_offline(request, stands_in=bool(found))) as items:
        async for item in items:
            yield item


def _may_go_on(error: GatewayError, following: str) -> bool:
    return error.is_outage if following == OFFLINE else error.may_switch


class Attempt:
    """One deployment's try, with one repetition for what passes by itself."""

    def __init__(
        self, request: ChatRequest, route: Route, record: RecordCall, *, is_last: bool
    ) -> None:
        self._request = request
        self._route = route
        self._record = record
        self._is_last = is_last
        self.has_spoken = False

    async def stream(self) -> AsyncGenerator[StreamItem, None]:
        try:
            async with aclosing(self._call()) as items:
                async for item in items:
                    yield item
        except GatewayError as error:
            pause = self._pause_before_retry(error)
            if pause is None:
                raise
        else:
            return
        await asyncio.sleep(pause)
        async with aclosing(self._call()) as items:
            async for item in items:
                yield item

    def _pause_before_retry(self, error: GatewayError) -> float | None:
        """Seconds to wait before the one repetition; None when it cannot help."""
        if self.has_spoken or not error.is_transient:
            return None
        if not isinstance(error, RateLimited):
            return 0.0
        pause = 1.0 if error.retry_after is None else error.retry_after
        return pause if self._is_last and pause <= LONGEST_PAUSE else None

    async def _call(self) -> AsyncGenerator[StreamItem, None]:
        """One upstream call and its usage record, however it ends."""
        started = time.monotonic()
        first_token_ms: int | None = None
        usage = TokenUsage()
        outcome = "cancelled"
        try:
            async with open_call(self._route, self._request) as call:
                while found := await call.read():
                    if first_token_ms is None:
                        first_token_ms = _ms_since(started)
                        self.has_spoken = True
                    for delta in found:
                        yield delta
                usage = call.usage
            outcome = "completed"
        except GatewayError as error:
            outcome = error.type
            raise
        finally:
            total_ms = _ms_since(started)
            done = CallRecord(
                self._request.turn_id,
                self._request.account_id,
                self._route.model,
                self._route.endpoint,
                usage,
                outcome,
                first_token_ms,
                total_ms,
            )
            await asyncio.shield(self._record(done))
        yield Completed(
            call.finish_reason,
            usage,
            self._route.model,
            self._route.endpoint,
            total_ms if first_token_ms is None else first_token_ms,
            total_ms,
        )


def _ms_since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
