"""What a run has taken so far, and which of its limits is reached."""

import json
import time
from collections import Counter
from collections.abc import Iterable, Sequence

from agents.tokens import estimate_tokens
from agents.types.limits import Limits
from gateway.types import ChatRequest, Completed, PromptMessage, TokenUsage, ToolCall
from security.sentences import Sentence


class Spending:
    """Counts; `reached` is the sentence of the first limit that is reached, else empty."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._began = time.monotonic()
        self._steps = 0
        self._calls = 0
        self._tokens = 0
        self._same: Counter[tuple[str, str]] = Counter()
        self.reached: str = ""

    def add_step(self, usage: TokenUsage, request: ChatRequest, said: str) -> None:
        """Where the server counts nothing, by the length of what was sent and said."""
        self._steps += 1
        prompt = usage.prompt_tokens
        self._tokens += estimate_tokens(_text(request)) if prompt is None else prompt
        told = usage.completion_tokens
        self._tokens += estimate_tokens(said) if told is None else told
        limits = self._limits
        if self._steps >= limits.steps - 1:  # the last one is for the answer
            self._reach("run_limit_steps", limits.steps)
        elif self._tokens >= limits.tokens:
            self._reach("run_limit_tokens", limits.tokens)

    def admit(self, calls: Sequence[ToolCall]) -> list[ToolCall]:
        """Those of them that may still be made."""
        admitted = []
        for call in calls:
            self._calls += 1
            key = (call.name, canonical(call.arguments))
            self._same[key] += 1
            if self._calls > self._limits.calls:
                self._reach("run_limit_calls", self._limits.calls)
            elif self._same[key] > self._limits.repeats:
                self._reach("run_limit_repeats", self._limits.repeats)
            else:
                admitted.append(call)
        return admitted

    def look_at_the_clock(self) -> None:
        if time.monotonic() - self._began >= self._limits.seconds:
            self._reach("run_limit_seconds", self._limits.seconds)

    def _reach(self, code: str, most: int) -> None:
        self.reached = self.reached or Sentence(code, most=most)


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
