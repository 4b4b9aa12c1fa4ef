"""What a run with tools may take before it has to answer with what it has."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one run: calls of a model, of tools, tokens of all of them, seconds, how often the very
    same call is made, and what it may cost in any one currency; 0: no more than budgets allow
    (`accounts.budgets`)."""

    steps: int = 12
    calls: int = 40
    tokens: int = 200_000
    seconds: int = 300
    repeats: int = 3
    money: float = 0
