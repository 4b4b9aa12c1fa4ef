"""What a call costs. An unknown price gives an unknown cost, never nothing.

Deployments, routes, rows of the price history and usage rows all have the same columns, so each of
them can be asked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any, Protocol

from gateway.types import Route, TokenUsage

MILLION = 1_000_000
SMALLEST = Decimal("0.000001")  # price that a column holds
NAMES = ("currency", "prompt_price", "completion_price", "cached_price", "cache_write_price",
    "request_price")  # fmt: skip


class Priced(Protocol):
    """Prices of a million tokens, and of a request whatever it is; None: unknown.

    Without a price of their own, tokens read from a cache or written into one cost as the prompt,
    and a request costs nothing beside its tokens.
    """

    @property
    def currency(self) -> str: ...
    @property
    def prompt_price(self) -> Decimal | None: ...
    @property
    def completion_price(self) -> Decimal | None: ...
    @property
    def cached_price(self) -> Decimal | None: ...
    @property
    def cache_write_price(self) -> Decimal | None: ...
    @property
    def request_price(self) -> Decimal | None: ...


def told(prices: Mapping[str, Any]) -> list[str]:
    """For people, in the order of NAMES but with the currency last; “?” is unknown, “–” none."""
    amounts = [(name, prices[name]) for name in NAMES if name != "currency"]
    unknown = {"prompt_price": "?", "completion_price": "?"}
    shown = [
        unknown.get(name, "–") if price is None else format(price.normalize(), "f")
        for name, price in amounts
    ]
    return [*shown, prices["currency"]]


@dataclass(frozen=True, slots=True)
class Cost:
    """`amount` is exact; None is unknown."""

    amount: Decimal | None
    currency: str


def cost_of(priced: Priced, usage: TokenUsage) -> Cost:
    """What these tokens cost. What the server did not count has no known cost, unless it is free.

    Cached and cache-write tokens are parts of the prompt, reasoning and prediction tokens parts of
    the completion, as OpenAI counts them.
    """
    cached, written = usage.cached_tokens or 0, usage.cache_write_tokens or 0
    plain = None
    if usage.prompt_tokens is not None:
        plain = max(0, usage.prompt_tokens - cached - written)
    parts = (
        _cost(plain, priced.prompt_price),
        _cost(cached, _either(priced.cached_price, priced.prompt_price)),
        _cost(written, _either(priced.cache_write_price, priced.prompt_price)),
        _cost(usage.completion_tokens, priced.completion_price),
    )
    if None in parts:
        return Cost(None, priced.currency)
    tokens = sum((part for part in parts if part is not None), Decimal())
    return Cost(tokens / MILLION + (priced.request_price or 0), priced.currency)


def with_part(route: Route, share: int, whole: int) -> Route:
    """For one of several who share a call: its request's own price is divided like the tokens."""
    if not route.request_price or share == whole:
        return route
    own = (route.request_price * share / whole).quantize(SMALLEST)
    return replace(route, request_price=own)


def owed(usage: TokenUsage, prompt: int | None, heard: int | None) -> TokenUsage | None:
    """What a call took: as the server counted, else as estimated; None where it took nothing.

    `heard` are the tokens that were said, None where nothing came of it: a call that was refused,
    or never made.
    """
    if heard is None and usage == TokenUsage():
        return None
    return replace(
        usage,
        prompt_tokens=_known(usage.prompt_tokens, prompt),
        completion_tokens=_known(usage.completion_tokens, heard),
    )


def added(parts: Iterable[TokenUsage]) -> TokenUsage:
    """Their sum; None remains what none of them says."""
    counts: dict[str, int] = {}
    for part in parts:
        for name, count in asdict(part).items():
            if count is not None:
                counts[name] = counts.get(name, 0) + count
    return TokenUsage(**counts)


def _known(counted: int | None, estimated: int | None) -> int:
    return (estimated or 0) if counted is None else counted


def _cost(tokens: int | None, price: Decimal | None) -> Decimal | None:
    """Of a million times as much."""
    if price == 0 or tokens == 0:
        return Decimal()
    return None if tokens is None or price is None else tokens * price


def _either(price: Decimal | None, other: Decimal | None) -> Decimal | None:
    return other if price is None else price
