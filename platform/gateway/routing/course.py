"""The way of one request from endpoint to endpoint: who next, what the reader is told, when to
give up."""

import asyncio
import random
import time
from collections.abc import Sequence
from decimal import Decimal

from gateway.errors import BadRequest, BudgetExhausted, GatewayError
from gateway.metering.estimates import estimate_prompt
from gateway.metering.prices import added, cost_of
from gateway.routing.attempt import Attempt, milliseconds
from gateway.routing.board import Board
from gateway.routing.continuation import Answer
from gateway.routing.errand import past_trials
from gateway.routing.needs import allowed_routes, needs_of
from gateway.routing.plan import Plan
from gateway.routing.strategies import Choice, Scene, choose
from gateway.spending import Spending, estimate_of, least_of
from gateway.types import ChatRequest, Completed, EndpointSwitched, Route, TokenUsage
from security.sentences import together

MOST_ATTEMPTS = 200  # an answer that every endpoint adds a word to ends some time

_rng = random.Random()  # noqa: S311 - chance among servers, no secret


class Course:
    """Raises NoEndpointAllowed at once when no route may serve the request.

    `because` is told before the reason of every attempt: why these routes.
    """

    def __init__(
        self, request: ChatRequest, routes: Sequence[Route], board: Board, because: str = ""
    ) -> None:
        self.answer = Answer(request)
        self.is_cheaper = False  # than what was asked for: a budget has named it
        self._request = request
        self._board = board
        self._because = because
        self._needs = needs_of(request)
        self._plan = Plan(allowed_routes(routes, self._needs), self._choose)
        self._began = time.monotonic()
        self._first_word: float | None = None
        self._attempts = 0
        self._failed: tuple[Route, GatewayError] | None = None
        self._broke: GatewayError | None = None  # what cut the answer off in the middle
        self._said = 0
        self._taken: list[TokenUsage] = []  # by calls that failed
        self._costs: dict[str, Decimal | None] = {}  # of all calls, by currency

    def instead(self, routes: Sequence[Route]) -> "Course":
        """The same request to these, who answer instead of whoever failed last here."""
        other = Course(self._request, routes, self._board, self._because)
        other._began, other._failed, other.is_cheaper = self._began, self._failed, True
        other._taken, other._costs = self._taken, self._costs
        return other

    async def next(self) -> Attempt | None:
        """The next attempt, when its time has come; None when nobody is left."""
        step = self._plan.take()
        if step is None:
            return None
        if step.pause:
            await asyncio.sleep(step.pause)
        step = await past_trials(self._board, self._plan, step)
        self._attempts += 1
        self._said = self.answer.length
        why = together([self._because, step.why])
        request, answer = self._request, self.answer
        estimate = await estimate_prompt(step.route, request, self._needs)
        may_take = estimate_of(request, estimate.tokens)
        least = least_of(request)
        spending = Spending(request.payer, step.route, may_take, request.turn_id, least)
        number = self._attempts
        return Attempt(request, step.route, answer, spending, estimate, number=number, why=why)

    def switch_to(self, name: str, model: str = "") -> EndpointSwitched | None:
        """What to tell when somebody else answers now than the one who failed last."""
        if self._failed is None:
            return None
        route, error = self._failed
        if route.endpoint == name and not isinstance(error, BudgetExhausted):
            return None
        cheaper = model if self.is_cheaper else ""
        return EndpointSwitched(route.endpoint, name, error.type, error.said, self._said, cheaper)

    def note(self, attempt: Attempt, error: GatewayError) -> None:
        """Plan on after a failure; raises it when nobody can do better."""
        self._note_first_word(attempt)
        self._failed = attempt.route, error
        self._taken += [attempt.took] if attempt.took else []
        self._owe(attempt)
        length = self.answer.length
        has_grown, self._said = length > self._said, length
        if has_grown:
            self._broke = error
        # Who refuses the second half may have liked the first: then others are asked.
        may_switch = error.may_switch or (length > 0 and isinstance(error, BadRequest))
        if not may_switch or (length and not self.answer.may_go_on):
            raise error
        self._plan.failed(attempt.route, error, has_spoken=has_grown, is_begun=length > 0)
        if self._attempts >= MOST_ATTEMPTS or self._is_lost(error):
            raise self._broke or error

    def completed(self, attempt: Attempt) -> Completed:
        """Its usage is that of all calls that had a part in it."""
        self._note_first_word(attempt)
        self._owe(attempt)
        now = time.monotonic()
        return Completed(
            attempt.finish_reason,
            added([*self._taken, attempt.took]) if self._taken and attempt.took else attempt.usage,
            attempt.route.model,
            attempt.route.endpoint,
            milliseconds((self._first_word or now) - self._began),
            milliseconds(now - self._began),
            why=attempt.why,
            attempts=self._attempts,
            costs={name: one if one is None else float(one) for name, one in self._costs.items()},
        )

    def _owe(self, attempt: Attempt) -> None:
        if attempt.took is None:
            return
        cost = cost_of(attempt.route, attempt.took)
        before = self._costs.get(cost.currency, Decimal())
        amount = cost.amount
        self._costs[cost.currency] = None if before is None or amount is None else before + amount

    def _is_lost(self, error: GatewayError) -> bool:
        """Nobody is left, and the offline answerer cannot stand in: not where a model has begun,
        nor for a program that reads chunks, which asked for the model and not for quotations."""
        is_begun = self._first_word is not None or bool(self._request.continues)
        needs_model = is_begun or self._request.wants_chunks
        return self._plan.is_over and (needs_model or not error.is_outage)

    def _note_first_word(self, attempt: Attempt) -> None:
        if self._first_word is None:
            self._first_word = attempt.first_word

    def _choose(self, routes: Sequence[Route]) -> Choice:
        health = self._board.look(routes)
        return choose(routes, Scene(self._needs, health, time.time(), _rng))
