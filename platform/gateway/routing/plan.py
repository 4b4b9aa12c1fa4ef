"""Which route is asked next, and after what pause: retries and fallback of one request.

Each route is asked in the chosen order. What may pass by itself is asked once more when all have
been, after a pause drawn at random (full jitter) or as long as the server said. An answer that has
begun is worth more patience: as long as somebody adds to it, all may be asked again. Where every
breaker is open there is one round alone.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from gateway.errors import (
    ContextOverflow,
    EndpointBusy,
    EndpointTimeout,
    EndpointUnreachable,
    GatewayError,
    RateLimited,
)
from gateway.routing.strategies import Choice
from gateway.types import Route
from security.sentences import Sentence

LONGEST_PAUSE = 5.0  # seconds that a 429 is waited for when nobody else is left
FIRST_PAUSE, MOST_PAUSE = 0.25, 4.0  # bounds of the jitter: of the first round, and of any
TRIES, TRIES_WITHIN = 2, 6  # of a route: before the first word, and in mid-answer without progress
PATIENCE_SECONDS = 60.0  # without a new word, then no further round is begun

Choose = Callable[[Sequence[Route]], Choice]


@dataclass(frozen=True, slots=True)
class Step:
    """Ask this route after the pause."""

    route: Route
    pause: float
    why: str


@dataclass(slots=True)
class Again:
    """A route to be asked once more, not before `ready_at`."""

    route: Route
    ready_at: float


class Plan:
    """The order of one request's attempts; `choose` orders those that may be asked."""

    def __init__(self, routes: Sequence[Route], choose: Choose) -> None:
        self._choose = choose
        self._routes = list(routes)
        chosen = choose(routes)
        self._next = list(chosen.routes)
        self._why = chosen.why
        self._most_tries = 1 if chosen.is_forlorn else TRIES
        self._failed: tuple[Route, GatewayError] | None = None
        self._again: list[Again] = []
        self._tries: Counter[int] = Counter()
        self._breaks: Counter[int] = Counter()  # in mid-answer, of this one
        self._round = 0
        self._moved_at = time.monotonic()

    def take(self) -> Step | None:
        """The next attempt; None when nobody is left to ask."""
        pause = 0.0
        if not self._next:
            if not self._again:
                return None
            pause = self._begin_round()
        route = self._next.pop(0)
        self._tries[id(route)] += 1
        return Step(route, pause, self._why_now(route))

    def postpone(self, route: Route) -> None:
        """Ask the others first; the last one is asked all the same."""
        self._tries[id(route)] -= 1
        self._next.append(route)

    @property
    def is_over(self) -> bool:
        return not (self._next or self._again)

    def failed(
        self, route: Route, error: GatewayError, *, has_spoken: bool, is_begun: bool
    ) -> None:
        """Plan on: it `has_spoken` in this attempt, the answer `is_begun` by anybody."""
        self._failed = route, error
        if isinstance(error, ContextOverflow):
            self._leave_out_shorter(route, error)
        elif has_spoken:
            self._start_over(route)
        elif self._may_repeat(route, error, is_begun=is_begun):
            self._plan_again(route, error)

    def _why_now(self, route: Route) -> str:
        if self._failed is None:
            return self._why
        failed, error = self._failed
        if failed is route:
            return Sentence("asked_again", reason=Sentence(error.type))
        return Sentence("instead_of", endpoint=failed.endpoint, reason=Sentence(error.type))

    def _start_over(self, failed: Route) -> None:
        """The answer has grown: all others may go on with it, then the failed one again.

        Who has broken off the least is asked first.
        """
        self._breaks[id(failed)] += 1
        others = [route for route in self._routes if route is not failed]
        chosen = self._choose(others).routes
        self._next = sorted(chosen, key=lambda route: self._breaks[id(route)])
        self._again = [Again(failed, 0.0)] if others else []
        self._tries.clear()
        self._round = 0
        self._moved_at = time.monotonic()

    def _may_repeat(self, route: Route, error: GatewayError, *, is_begun: bool) -> bool:
        is_alone = len(self._routes) == 1
        if not (error.is_transient or (not is_alone and _may_be_back(error, is_begun=is_begun))):
            return False
        most = TRIES_WITHIN if is_begun and not is_alone else self._most_tries
        return self._tries[id(route)] < most

    def _plan_again(self, route: Route, error: GatewayError) -> None:
        is_dropped = isinstance(error, EndpointUnreachable) and error.is_transient
        if is_dropped and self._tries[id(route)] == 1:
            self._next.insert(0, route)  # a kept connection was closed: a new one usually works
            return
        pause = 0.0
        if isinstance(error, RateLimited):
            pause = 1.0 if error.retry_after is None else error.retry_after
            if pause > LONGEST_PAUSE:
                return
        self._again.append(Again(route, time.monotonic() + pause))

    def _begin_round(self) -> float:
        """Everybody once more who may be; the seconds to wait before the first of them."""
        now = time.monotonic()
        is_patient = now - self._moved_at < PATIENCE_SECONDS
        self._again.sort(key=attrgetter("ready_at"))
        first = self._again[0]
        self._next = [again.route for again in self._again] if is_patient else [first.route]
        self._again = []
        bound = min(MOST_PAUSE, FIRST_PAUSE * 2**self._round)
        self._round += 1
        return max(0.0, first.ready_at - now) + random.uniform(0, bound)  # noqa: S311

    def _leave_out_shorter(self, failed: Route, error: ContextOverflow) -> None:
        """Only what reads more than the one that overflowed, or nobody knows how much."""
        length = failed.context_length or error.limit or 0

        def is_longer(route: Route) -> bool:
            return not (length and route.context_length) or route.context_length > length

        self._routes = [r for r in self._routes if r is not failed and is_longer(r)]
        self._next = [route for route in self._next if is_longer(route)]
        self._again = [again for again in self._again if is_longer(again.route)]


def _may_be_back(error: GatewayError, *, is_begun: bool) -> bool:
    """Whether a server that is away may return; waiting costs too much before the first word."""
    return isinstance(error, EndpointUnreachable) or (
        is_begun and isinstance(error, EndpointTimeout | EndpointBusy)
    )
