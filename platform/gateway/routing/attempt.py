"""One call to one endpoint: through its door, metered, and told to the board however it ends."""

import asyncio
import time
from collections.abc import AsyncGenerator

from gateway.errors import EndpointBusy, GatewayError
from gateway.metering.prices import owed
from gateway.routing.board import Board
from gateway.routing.continuation import Answer
from gateway.routing.needs import estimate_tokens
from gateway.spending import Spending, tokens_heard
from gateway.types import (
    CallRecord,
    ChatRequest,
    Estimate,
    RecordCall,
    Route,
    StreamItem,
    TokenUsage,
)
from gateway.upstream.emulation import open_answer

UNBROKEN = ("completed", "cancelled")  # by the server: it has worked for what it was asked
MEASURABLE_SECONDS = 0.2  # an answer that came faster says nothing about tokens a second


class Attempt:
    """`stream` once; then look at what became of it."""

    def __init__(
        self,
        request: ChatRequest,
        route: Route,
        answer: Answer,
        spending: Spending,
        estimate: Estimate,
        *,
        number: int,
        why: str,
    ) -> None:
        self._request = request
        self._answer = answer
        self._spending = spending
        self._estimate = estimate
        self._number = number
        self._began = 0.0
        self.route = route
        self.why = why
        self.first_word: float | None = None  # by the monotonic clock
        self.usage = TokenUsage()
        self.took: TokenUsage | None = None  # with what the server did not count as estimated
        self.finish_reason = ""

    async def stream(self, board: Board, record: RecordCall) -> AsyncGenerator[StreamItem, None]:
        """What is new of the answer; raises GatewayError. Leaving early closes the connection.

        Who leaves pays for what was said, and for the prompt. Without the budget for it nobody is
        asked, and there is no call to record.
        """
        await self._spending.begin()
        self._began = time.monotonic()
        outcome, detail = "cancelled", ""
        route, answer = self.route, self._answer
        said, characters, was_asked = answer.length, 0, False
        request = answer.begin(route, self._spending.most_tokens)
        try:
            async with board.gate(route).slot(self._request.account_id, route.queue_timeout):
                asked, was_asked = time.monotonic(), True
                async with open_answer(route, request) as call:
                    try:
                        while found := await call.read():
                            if self.first_word is None:
                                self.first_word = time.monotonic()
                            for item in answer.take(found):
                                yield item
                    finally:  # what the server counted is owed, also where no answer came of it
                        self.usage, characters = call.usage, call.length
                    for item in answer.end():
                        yield item
                    self.finish_reason = call.finish_reason
            outcome = "completed"
            board.succeeded(route, *self._speed(asked, said))
        except GatewayError as error:
            outcome, detail = error.type, error.said
            if not isinstance(error, EndpointBusy):
                board.failed(route, error)
            raise
        finally:
            is_owed = was_asked and (self.first_word is not None or outcome in UNBROKEN)
            heard = tokens_heard(answer.text[said:], characters) if is_owed else None
            self.took = owed(self.usage, self._estimate.tokens, heard)
            await asyncio.shield(self._close(record, self._record(outcome, detail, heard)))

    async def _close(self, record: RecordCall, call: CallRecord) -> None:
        await record(call)
        await self._spending.end(call.usage, heard=call.heard)

    def _speed(self, asked: float, said: int) -> tuple[float | None, float | None]:
        """Milliseconds to the first word behind the door, and tokens a second from there."""
        if self.first_word is None:
            return None, None
        seconds = time.monotonic() - self.first_word
        tokens = self.usage.completion_tokens
        if tokens is None:
            tokens = estimate_tokens(self._answer.text[said:])
        speed = tokens / seconds if seconds > MEASURABLE_SECONDS else None
        return (self.first_word - asked) * 1000, speed

    def _record(self, outcome: str, detail: str, heard: int | None) -> CallRecord:
        route = self.route
        return CallRecord(
            self._request.turn_id,
            self._request.payer,
            route.model,
            route.endpoint,
            self.usage,
            outcome,
            None if self.first_word is None else milliseconds(self.first_word - self._began),
            milliseconds(time.monotonic() - self._began),
            deployment_id=route.deployment_id,
            attempt=self._number,
            why=self.why,
            detail=detail,
            id=self._spending.call_id,
            route=route,
            estimate=self._estimate,
            heard=heard,
        )


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
