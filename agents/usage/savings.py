"""What was not spent: prompts that servers remembered, answers that were given again."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from agents.reuse.savings import savings_since
from agents.usage.audience import Whose
from agents.usage.names import nameless, names_of
from agents.usage.spans import Span
from gateway.metering.models import Price, UsageDay
from gateway.metering.prices import MILLION

Prices = Mapping[tuple[str, str], Sequence[tuple[date, Price]]]


@dataclass(slots=True)
class Spared:
    """Of an agent. Of prompts: tokens read, and those of them that a server remembered; of answers:
    how many were given again, those `alike` to similar questions. `unpriced` tokens and answers
    saved what nobody knows. Money can be negative where writing into a cache costs more than it
    brought."""

    name: str
    prompt_tokens: int = 0
    cached_tokens: int = 0
    answers: int = 0
    alike: int = 0
    tokens: int = 0
    unpriced: int = 0
    costs: dict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    @property
    def share(self) -> float | None:
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens else None

    @property
    def money(self) -> list[tuple[str, Decimal]]:
        return sorted((pair for pair in self.costs.items() if pair[1]), key=lambda pair: -pair[1])


def cached_prompts(whose: Whose, span: Span) -> list[Spared]:
    """By agent, the most remembered first: roll-ups, at the prices that each day ended with."""
    rows = whose.rows(UsageDay.objects.filter(at__gte=span.first, at__lte=span.last))
    sums = rows.order_by().values("agent_id", "model_name", "endpoint_name", "at", "currency")
    prices = _prices()
    found: dict[Any, Spared] = defaultdict(lambda: Spared(""))
    for row in sums.annotate(
        read=Sum("prompt_tokens"), cached=Sum("cached_tokens"), kept=Sum("cache_write_tokens")
    ):
        one = found[row["agent_id"]]
        one.prompt_tokens += row["read"]
        one.cached_tokens += row["cached"]
        if row["cached"] or row["kept"]:
            _add_saved(one, row, _price_at(prices, row))
    shown = _named(whose, {key: one for key, one in found.items() if one.cached_tokens})
    return sorted(shown, key=lambda one: -one.cached_tokens)


def reused_answers(whose: Whose, span: Span) -> list[Spared]:
    """By agent, the most reused first."""
    found: dict[Any, Spared] = defaultdict(lambda: Spared(""))
    for row in savings_since(span.first):
        one = found[row["agent_id"]]
        one.answers += row["answers"]
        one.alike += row["answers"] if row["is_similar"] else 0
        one.tokens += row["tokens"]
        one.unpriced += row["unpriced"]
        one.costs[row["currency"]] += row["cost"]
    return sorted(_named(whose, found), key=lambda one: -one.answers)


def _named(whose: Whose, found: Mapping[Any, Spared]) -> list[Spared]:
    names = names_of(whose, "agent", found.keys())
    for key, one in found.items():
        one.name = names.get(key) or nameless("agent", key)
    return list(found.values())


def _prices() -> Prices:
    """The history of every deployment, by the names of its model and endpoint."""
    found = defaultdict(list)
    for price in Price.objects.select_related("deployment__model", "deployment__endpoint").order_by(
        "valid_from", "id"
    ):
        names = price.deployment.model.name, price.deployment.endpoint.name
        found[names].append((price.valid_from.date(), price))
    return found


def _price_at(prices: Prices, row: Mapping[str, Any]) -> Price | None:
    history = prices.get((row["model_name"], row["endpoint_name"]), ())
    upto = bisect_right([day for day, _price in history], row["at"])
    price = history[upto - 1][1] if upto else None
    return price if price is not None and price.currency == row["currency"] else None


def _add_saved(one: Spared, row: Mapping[str, Any], price: Price | None) -> None:
    if price is None or price.prompt_price is None:
        one.unpriced += row["cached"]
        return
    full = price.prompt_price
    cached = full if price.cached_price is None else price.cached_price
    kept = full if price.cache_write_price is None else price.cache_write_price
    saved = row["cached"] * (full - cached) + row["kept"] * (full - kept)
    one.costs[price.currency] += saved / MILLION
