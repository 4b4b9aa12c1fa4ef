"""What a run has taken so far, and which of its limits is reached.

What an agent takes that was called in a run, that run has taken too: a limit of either ends it.
"""

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agents.tokens import estimate_tokens
from agents.types.limits import Limits
from gateway.types import ChatRequest, Completed, PromptMessage, TokenUsage, ToolCall
from security.sentences import Sentence

if TYPE_CHECKING:
    from agents.running.keeping import Past


@dataclass(frozen=True, slots=True)
class Spent:
    """Of a run with all that was called in it; `runs` are those of other agents, `costs` by
    currency, None where a price is not known."""

    steps: int = 0
    calls: int = 0
    tokens: int = 0
    runs: int = 0
    costs: Mapping[str, float | None] = field(default_factory=dict)


COUNTS = ("steps", "calls", "tokens", "runs")


class Spending:
    """Counts; `reached` is the sentence of the first limit that is reached, else empty. `above` is
    of the run in which this one was called."""

    def __init__(self, limits: Limits, above: "Spending | None" = None) -> None:
        self._limits = limits
        self._above = above
        self._began = time.monotonic()
        self._steps = 0
        self._kept = 1  # steps that are left for answers: its own, and those of runs in it
        self._calls = 0
        self._tokens = 0
        self._runs = 0
        self._costs: dict[str, float | None] = {}
        self._same: Counter[tuple[str, str]] = Counter()
        self._reached: str = ""

    @property
    def reached(self) -> str:
        return self._reached or (self._above.reached if self._above else "")

    @property
    def spent(self) -> Spent:
        return Spent(self._steps, self._calls, self._tokens, self._runs, dict(self._costs))

    @property
    def seconds_left(self) -> float:
        left = self._limits.seconds - (time.monotonic() - self._began)
        return min(left, self._above.seconds_left) if self._above else left

    @property
    def runs(self) -> int:
        """Of other agents, in the whole tree."""
        return self._above.runs if self._above else self._runs

    def add_step(self, done: Completed, request: ChatRequest, said: str) -> None:
        """Where the server counts nothing, by the length of what was sent and said."""
        prompt, told = done.usage.prompt_tokens, done.usage.completion_tokens
        tokens = estimate_tokens(_text(request)) if prompt is None else prompt
        tokens += estimate_tokens(said) if told is None else told
        self.take(Spent(steps=1, tokens=tokens, costs=done.costs))

    def take(self, spent: Spent) -> None:
        """Also from all runs above."""
        self._steps += spent.steps
        self._calls += spent.calls
        self._tokens += spent.tokens
        self._runs += spent.runs
        limits = self._limits
        if self._steps + self._kept >= limits.steps:
            self._reach("run_limit_steps", limits.steps)
        elif self._tokens >= limits.tokens:
            self._reach("run_limit_tokens", limits.tokens)
        self._pay(spent.costs)
        if self._above is not None:
            self._above.take(spent)

    def _pay(self, costs: Mapping[str, float | None]) -> None:
        """Currencies are never added; what nobody knows is not nothing."""
        for currency, cost in costs.items():
            before = self._costs.get(currency, 0.0)
            self._costs[currency] = None if cost is None or before is None else before + cost
        most, known = self._limits.money, [one for one in self._costs.values() if one is not None]
        if most and len(known) < len(self._costs):
            self._reach("run_limit_price", most)
        elif most and max(known, default=0.0) >= most:
            self._reach("run_limit_money", most)

    @contextmanager
    def run_within(self) -> Iterator[None]:
        """A run of another agent, for whose answer a step is kept while it lasts."""
        self._keep(1)
        self.take(Spent(runs=1))
        try:
            yield
        finally:
            self._keep(-1)

    def has_room(self) -> bool:
        """Whether another agent could answer, and those above it still could after it."""
        has_steps = self._steps + self._kept < self._limits.steps
        return has_steps and not self.reached and (not self._above or self._above.has_room())

    def _keep(self, steps: int) -> None:
        self._kept += steps
        if self._above is not None:
            self._above._keep(steps)

    def admit(self, calls: Sequence[ToolCall]) -> list[ToolCall]:
        """Those of them that may still be made."""
        admitted = []
        for call in calls:
            key = (call.name, canonical(call.arguments))
            self._same[key] += 1
            if not self._has_call():
                continue
            if self._same[key] > self._limits.repeats:
                self._reach("run_limit_repeats", self._limits.repeats)
            else:
                admitted.append(call)
        return admitted

    def _has_call(self) -> bool:
        """Counts one, also above."""
        self._calls += 1
        if self._calls > self._limits.calls:
            self._reach("run_limit_calls", self._limits.calls)
        may_above = self._above is None or self._above._has_call()
        return may_above and self._calls <= self._limits.calls

    def look_at_the_clock(self) -> None:
        if time.monotonic() - self._began >= self._limits.seconds:
            self._reach("run_limit_seconds", self._limits.seconds)
        if self._above is not None:
            self._above.look_at_the_clock()

    def _reach(self, code: str, most: float) -> None:
        self._reached = self._reached or Sentence(code, most=most)


def spent_by(past: "Past") -> Iterator[Spent]:
    """What agents took that were called before, and have answered."""
    for call in past.calls.values():
        output = call.result.output if call.result else None
        if output is not None and isinstance(told := output.data.get("spent"), dict):
            known = {name: told.get(name) for name in COUNTS}
            counts = {name: n for name, n in known.items() if isinstance(n, int) and n > 0}
            costs = told.get("costs")
            yield Spent(**counts, costs=costs if isinstance(costs, dict) else {})


def canonical(arguments: str) -> str:
    """The same text for the same arguments, however they are written."""
    try:
        return json.dumps(json.loads(arguments or "{}"), sort_keys=True)
    except (ValueError, RecursionError):
        return arguments


def summed(parts: Iterable[Completed]) -> Completed:
    """The calls of a run as one: what each took, and the last one's word on the rest."""
    done = list(parts)
    first, last = done[0], done[-1]
    return Completed(
        finish_reason=last.finish_reason,
        usage=TokenUsage(*(_sum(done, name) for name in TokenUsage.__slots__)),
        model=last.model,
        endpoint=last.endpoint,
        first_token_ms=first.first_token_ms,
        total_ms=sum(one.total_ms for one in done),
        why=last.why,
        attempts=sum(one.attempts for one in done),
    )


def _sum(done: Sequence[Completed], name: str) -> int | None:
    counts = [getattr(one.usage, name) for one in done]
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _text(request: ChatRequest) -> str:
    return "".join(
        one.content if isinstance(one, PromptMessage) else str(one.get("content") or "")
        for one in request.messages
    )
