"""How an endpoint does: its breaker, its pauses, how fast it is. Arithmetic alone, without I/O.

Times are seconds of the wall clock, since processes share them.
"""

import random
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from gateway.errors import (
    BadCredentials,
    EndpointTimeout,
    EndpointUnreachable,
    GatewayError,
    RateLimited,
    StreamCut,
    UpstreamFailed,
)

WINDOW_SECONDS = 30.0
MOST_FAILURES = 5  # within the window, and most of the latest calls: then the breaker opens
FAILING_SHARE = 0.5
FIRST_PAUSE = 5.0  # of an open breaker; doubled each time that the trial fails
LONGEST_PAUSE = 120.0
LONGEST_COOLING = 300.0
USUAL_COOLING = 5.0  # after a 429 that does not say for how long
REFUSED_COOLING = 60.0  # after a key that is not accepted: others are asked first
TRIAL_SECONDS = 30.0  # for the one call that a half-open breaker lets through
SMOOTHING = 0.2  # weight of the newest call in a moving average
FRESH_SECONDS = 600.0  # what was measured before is not known any more

BREAKING = (EndpointUnreachable, EndpointTimeout, UpstreamFailed, StreamCut)

Breaker = Literal["closed", "open", "half_open"]


@dataclass(slots=True)
class Health:
    """One endpoint as this process knows it; what other processes found out comes in by `adopt`."""

    reopens_at: float = 0.0  # 0: the breaker is closed
    openings: int = 0  # how often in a row
    cooling_until: float = 0.0
    first_token_ms: float | None = None
    tokens_per_second: float | None = None
    error_rate: float = 0.0
    measured_at: float = 0.0
    trial_until: float = 0.0
    in_flight: int = 0  # of all processes
    waiting: int = 0
    failures: deque[float] = field(default_factory=deque)

    def breaker(self, now: float) -> Breaker:
        if not self.reopens_at:
            return "closed"
        return "open" if now < self.reopens_at or now < self.trial_until else "half_open"

    def is_cooling(self, now: float) -> bool:
        return now < self.cooling_until

    def is_fresh(self, now: float) -> bool:
        return now - self.measured_at < FRESH_SECONDS

    def succeeded(
        self, now: float, first_token_ms: float | None, tokens_per_second: float | None
    ) -> None:
        """A call ended well: an open breaker closes, the averages learn."""
        if not self.is_fresh(now):
            self.first_token_ms = self.tokens_per_second = None
        self.first_token_ms = _average(self.first_token_ms, first_token_ms)
        self.tokens_per_second = _average(self.tokens_per_second, tokens_per_second)
        self.error_rate *= 1 - SMOOTHING
        self.measured_at = now
        if self.reopens_at:
            self.close()

    def failed(self, now: float, error: GatewayError) -> None:
        """A call failed. What is the caller's own fault says nothing about the endpoint."""
        if isinstance(error, RateLimited):
            self.cool(now, error.retry_after)
        elif isinstance(error, BadCredentials):
            self.cool(now, REFUSED_COOLING)
        elif isinstance(error, BREAKING):
            self.error_rate += SMOOTHING * (1 - self.error_rate)
            self.failures.append(now)
            while self.failures[0] < now - WINDOW_SECONDS:
                self.failures.popleft()
            self.count(now, len(self.failures))

    def cool(self, now: float, seconds: float | None) -> None:
        pause = USUAL_COOLING if seconds is None else min(seconds, LONGEST_COOLING)
        self.cooling_until = max(self.cooling_until, now + pause)

    def count(self, now: float, failures: int) -> None:
        """Open the breaker after so many failures within the window, or when its trial failed."""
        is_trial = bool(self.reopens_at) and now >= self.reopens_at
        is_failing = failures >= MOST_FAILURES and self.error_rate >= FAILING_SHARE
        if is_trial or (is_failing and not self.reopens_at):
            self.open(now)

    def open(self, now: float) -> None:
        pause = min(FIRST_PAUSE * 2.0**self.openings, LONGEST_PAUSE)
        self.reopens_at = now + pause * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        self.openings += 1
        self.trial_until = 0.0

    def close(self) -> None:
        self.reopens_at = self.trial_until = 0.0
        self.openings = 0
        self.error_rate = 0.0
        self.failures.clear()


def _average(before: float | None, newest: float | None) -> float | None:
    if newest is None or before is None:
        return before if newest is None else newest
    return before + SMOOTHING * (newest - before)
