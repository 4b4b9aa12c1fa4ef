"""What a call takes of its payer's budgets: reserved before it is made, then settled to what was
counted."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Self
from uuid import UUID

from gateway.budget import Demand, Hold
from gateway.metering.prices import cost_of, owed
from gateway.routing.needs import estimate_tokens, needs_of_texts
from gateway.types import ChatRequest, Payer, Route, TokenUsage

OPEN_ANSWER = 4096  # tokens that are set aside for an answer without a limit
USEFUL_ANSWER = 256  # what such an answer is held to at least, where a budget has no more left
THOUGHT = 3  # characters of a token of thoughts, whose text is not kept


class Spending:
    """Of one upstream call: `begin` before it, `end` after it, however it ended."""

    def __init__(
        self,
        payer: Payer,
        route: Route,
        estimate: TokenUsage,
        turn_id: UUID | None = None,
        least: int | None = None,
    ) -> None:
        self._payer = payer
        self._route = route
        self._estimate = estimate
        self._turn_id = turn_id
        self._least = least
        self._hold: Hold | None = None

    @classmethod
    def on_texts(cls, payer: Payer, route: Route, texts: Sequence[str]) -> Self:
        """Of a call that reads them and says nothing; only counted where somebody asks."""
        prompt = needs_of_texts(texts).prompt_tokens if payer.budget else 0
        return cls(payer, route, TokenUsage(prompt, 0))

    @property
    def call_id(self) -> UUID | None:
        """Of the call's usage row, so that the two are known to belong together."""
        return None if self._hold is None else self._hold.id

    @property
    def most_tokens(self) -> int | None:
        """How long the answer may get where a budget had not enough left for a longer one."""
        allowed = None if self._hold is None else self._hold.completion_tokens
        wanted = self._estimate.completion_tokens
        if self._least is None or allowed is None or wanted is None or allowed >= wanted:
            return None
        return allowed

    async def begin(self) -> None:
        """Raises BudgetExhausted; nothing is held then."""
        budget = self._payer.budget
        if budget is not None:
            self._hold = await budget.reserve(self._demand())

    async def end(
        self, usage: TokenUsage, *, heard: int | None, priced: Route | None = None
    ) -> None:
        """`heard` are the tokens that were said, as estimated; None where the call was not made, or
        nothing came of it. What the server counted is owed in any case, at the prices of `priced`
        where the call was shared."""
        budget, hold = self._payer.budget, self._hold
        if budget is None or hold is None:
            return
        self._hold = None
        counted = owed(usage, self._estimate.prompt_tokens, heard)
        if counted is None:
            await asyncio.shield(budget.release(hold))
            return
        cost = cost_of(priced or self._route, counted)
        await asyncio.shield(budget.settle(hold, counted, cost.amount))

    def _demand(self) -> Demand:
        route, estimate = self._route, self._estimate
        prompt = replace(estimate, completion_tokens=0)
        return Demand(
            payer=self._payer,
            model=route.model,
            endpoint=route.endpoint,
            deployment_id=route.deployment_id,
            turn_id=self._turn_id,
            prompt_tokens=estimate.prompt_tokens or 0,
            completion_tokens=estimate.completion_tokens or 0,
            least_tokens=self._least,
            cost=cost_of(route, estimate).amount,
            prompt_cost=cost_of(route, prompt).amount,
            currency=route.currency,
            seconds=route.queue_timeout + route.timeouts.total + 60,
        )


def tokens_heard(text: str, characters: int) -> int:
    """Of an answer with this text; `characters` are those of thoughts, too."""
    return estimate_tokens(text) + max(0, characters - len(text)) // THOUGHT


def estimate_of(request: ChatRequest, prompt_tokens: int) -> TokenUsage:
    """What a chat may take: its prompt, and every choice as long as it may get."""
    choices = request.extra.get("n")
    count = choices if isinstance(choices, int) and choices > 0 else 1
    return TokenUsage(prompt_tokens, count * (request.max_tokens or OPEN_ANSWER))


def least_of(request: ChatRequest) -> int | None:
    """What its answer can be held to: only one, to which the request itself sets no limit."""
    is_open = request.max_tokens is None and request.extra.get("n", 1) == 1
    return USEFUL_ANSWER if is_open else None
