"""Texts of requests that come at the same time share a call to a deployment.

Nobody waits for company: a request that finds the deployment idle goes at once. While a call is
out, others gather; they go when it is back, when they fill a request, or when the first of them has
waited half as long as a call usually takes, 50 ms at most. What waits at the endpoint's door is
put together when the door opens.

Each order gets its own vectors, in its order of texts. One that the server refuses fails alone: the
others are sent again without it. A caller who goes away takes nothing from the others; a call that
nobody waits for any more is stopped.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.embedding.wire import Vectors, request_vectors
from gateway.errors import BadRequest, ContentFiltered, EndpointBusy, GatewayError
from gateway.metering.prices import with_part
from gateway.metering.recording import record_shared_call
from gateway.metrics import texts_sent
from gateway.routing.attempt import UNBROKEN
from gateway.routing.board import current_board
from gateway.routing.errand import Outcome, Trip, metered
from gateway.routing.health import SMOOTHING
from gateway.routing.needs import estimate_tokens
from gateway.spending import Spending
from gateway.types import NOBODY, CallRecord, Estimate, Payer, Route, TokenUsage
from security.sentences import Sentence, together

# Of one request: well below the 2,048 texts that the protocol allows, so that a retry stays cheap.
REQUEST_TEXTS = 64
REQUEST_CHARACTERS = 250_000
LONGEST_WAIT = 0.05  # seconds
OF_ONE_TEXT = (BadRequest, ContentFiltered)  # errors that the others have nothing to do with

Send = Callable[[Route, Sequence[str]], Awaitable[tuple[Vectors, TokenUsage]]]
Record = Callable[[CallRecord, Mapping[Payer, int]], Awaitable[None]]


@dataclass(eq=False, slots=True)
class Order:
    """What one caller wants of this deployment."""

    texts: Sequence[str]
    trip: Trip
    payer: Payer
    vectors: asyncio.Future[Vectors]
    fellows: Sequence["Order"] = ()
    call: asyncio.Future[tuple[Vectors, TokenUsage]] | None = None
    usage: TokenUsage = field(default_factory=TokenUsage)  # its own share of the call …
    priced: Route | None = None  # … at these prices
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = sum(map(len, self.texts))

    def leave(self) -> None:
        """Stop the call if nobody else waits for it."""
        if self.call is not None and all(order.vectors.cancelled() for order in self.fellows):
            self.call.cancel()


class Batcher:
    """The calls for vectors to one deployment, of one event loop."""

    def __init__(self, send: Send = request_vectors) -> None:
        self.seconds: float | None = None  # that a call usually takes
        self._send = send
        self._record: Record = record_shared_call
        self._waiting: deque[Order] = deque()
        self._texts = 0  # of those that wait
        self._is_at_door = False
        self._out = 0  # calls
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def embed(
        self,
        trip: Trip,
        texts: Sequence[str],
        payer: Payer = NOBODY,
        record: Record = record_shared_call,
    ) -> Vectors:
        """A vector for each text, at most REQUEST_TEXTS of them; raises GatewayError."""
        self._record = record
        spending = Spending.on_texts(payer, trip.route, texts)
        await spending.begin()
        order = Order(texts, trip, payer, asyncio.get_running_loop().create_future())
        self._waiting.append(order)
        self._texts += len(texts)
        self._arrange()
        heard: int | None = None
        try:
            vectors = await order.vectors
        except asyncio.CancelledError:
            heard = None if order.call is None else 0
            order.leave()
            raise
        else:
            heard = 0
            return vectors
        finally:
            await spending.end(order.usage, heard=heard, priced=order.priced)

    # -- when to go ------------------------------------------------------------------------

    def _arrange(self) -> None:
        """Who stands at the door takes along whatever waits when it opens."""
        if self._is_at_door or not self._waiting:
            return
        if not self._out or self._texts >= REQUEST_TEXTS:
            self._go()
        elif self._timer is None:
            patience = LONGEST_WAIT if self.seconds is None else self.seconds / 2
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(min(patience, LONGEST_WAIT), self._go)

    def _go(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting and not self._is_at_door:
            self._is_at_door = True
            task = asyncio.create_task(self._carry(), name="embedding-batch")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _depart(self) -> list[Order]:
        self._is_at_door = False
        self._out += 1
        batch = self._take()
        self._arrange()
        return batch

    def _take(self) -> list[Order]:
        """The first that wait, as many as fit into a request, without those who have gone."""
        batch: list[Order] = []
        texts = size = 0
        while self._waiting:
            order = self._waiting[0]
            texts, size = texts + len(order.texts), size + order.size
            if batch and (texts > REQUEST_TEXTS or size > REQUEST_CHARACTERS):
                break
            self._waiting.popleft()
            self._texts -= len(order.texts)
            if order.vectors.done():
                texts, size = texts - len(order.texts), size - order.size
            else:
                batch.append(order)
        return batch

    # -- a call ----------------------------------------------------------------------------

    async def _carry(self) -> None:
        """Through the endpoint's door, with all that is there when it opens, and back."""
        batch: list[Order] | None = None
        first = self._waiting[0]
        route = first.trip.route
        board = current_board()
        board.look([route])
        try:
            async with board.gate(route).slot(first.payer.account_id, route.queue_timeout):
                batch = self._depart()
                await self._deliver(route, batch)
        except Exception as error:
            batch = self._depart() if batch is None else batch
            if isinstance(error, EndpointBusy) and batch:
                waited = round(route.queue_timeout * 1000)
                await self._tell(batch, Outcome(error.type, str(error), total_ms=waited))
            _fail(batch, error)
            if not isinstance(error, GatewayError):
                raise
        finally:
            for order in self._depart() if batch is None else batch:
                order.vectors.cancel()
            self._out -= 1
            self._arrange()

    async def _deliver(self, route: Route, orders: Sequence[Order]) -> None:
        orders = [order for order in orders if not order.vectors.done()]
        if not orders:
            return
        texts = [text for order in orders for text in order.texts]
        texts_sent.observe(len(texts))
        call = asyncio.ensure_future(self._send(route, texts))
        for order in orders:
            order.fellows, order.call = orders, call
        began = time.monotonic()
        try:
            vectors = await metered(route, lambda: call, lambda end: self._tell(orders, end))
        except asyncio.CancelledError:
            if not call.cancelled() or _is_being_cancelled():
                raise  # and not only left by all who waited
        except OF_ONE_TEXT as error:
            if len(orders) == 1:
                _fail(orders, error)
                return
            middle = len(orders) // 2
            await self._deliver(route, orders[:middle])
            await self._deliver(route, orders[middle:])
        except GatewayError as error:
            _fail(orders, error)
        else:
            self._learn(time.monotonic() - began)
            _hand_out(orders, vectors)

    def _learn(self, seconds: float) -> None:
        before = seconds if self.seconds is None else self.seconds
        self.seconds = before + SMOOTHING * (seconds - before)

    async def _tell(self, orders: Sequence[Order], end: Outcome) -> None:
        """A row for each payer, with their share of the tokens."""
        first, shares = orders[0].trip, dict[Payer, int]()
        _share_out(orders, end.usage)
        for order in orders:
            shares[order.payer] = shares.get(order.payer, 0) + order.size
        call = CallRecord(
            None,
            NOBODY,  # each row has its own
            first.route.model,
            first.route.endpoint,
            end.usage,
            end.outcome,
            None,
            end.total_ms,
            deployment_id=first.route.deployment_id,
            attempt=min(order.trip.number for order in orders),
            why=_why(sum(len(order.texts) for order in orders), first.why),
            detail=end.detail,
            route=first.route,
            estimate=Estimate(sum(estimate_tokens(text) for o in orders for text in o.texts)),
            heard=0 if end.outcome in UNBROKEN else None,
        )
        await self._record(call, shares)


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _why(count: int, why: str) -> str:
    return together([Sentence("vectors", n=count), why])


def _hand_out(orders: Sequence[Order], vectors: Vectors) -> None:
    start = 0
    for order in orders:
        end = start + len(order.texts)
        if not order.vectors.done():
            order.vectors.set_result(vectors[start:end])
        start = end


def _share_out(orders: Sequence[Order], usage: TokenUsage) -> None:
    """To each its part of what was counted and of the price of a request, by length; no token is
    lost or given twice."""
    tokens, whole = usage.prompt_tokens, sum(order.size for order in orders)
    for order in orders:
        order.priced = with_part(order.trip.route, order.size, whole or 1)
    if tokens is None or not whole:
        return
    seen = given = 0
    for order in orders:
        seen += order.size
        upto = tokens * seen // whole
        order.usage = TokenUsage(upto - given, 0)
        given = upto


def _fail(orders: Sequence[Order], error: Exception) -> None:
    for order in orders:
        if not order.vectors.done():
            order.vectors.set_exception(error)
