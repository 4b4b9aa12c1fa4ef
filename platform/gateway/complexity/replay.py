"""How wrong settings would have been on questions that people have labelled. Pure, deterministic.

A tier too simple spoils an answer, a tier too hard only costs: the first counts three times.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from gateway.complexity.features import Features
from gateway.complexity.rules import Rule, first_that_holds
from gateway.complexity.score import TIERS, Settings, Tier, score

TOO_SIMPLE, TOO_HARD = 3.0, 1.0  # points of regret for each tier that it is wrong by
ANSWER_TOKENS = 500  # of the answer that costs are compared for

Judge = Callable[[Features], Tier]
Prices = Mapping[str, tuple[Decimal, Decimal] | None]  # of prompt and answer, for a million tokens


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question as it was seen, and the tier that a person says is right."""

    features: Features
    tier: Tier


@dataclass(frozen=True, slots=True)
class Regret:
    """Over `count` questions. `quality` is points for what was too simple and `points` all of
    them, both for a question; `cost` is the money too much for a thousand, None without prices."""

    count: int
    wrong: int
    too_simple: int
    too_hard: int
    quality: float
    points: float
    cost: Decimal | None

    @property
    def share(self) -> float:
        return self.wrong / self.count if self.count else 0.0


def judge_by(settings: Settings, rules: Sequence[Rule] = ()) -> Judge:
    """The rules first, then the score: what a decision is without a judge's vote."""

    def judge(features: Features) -> Tier:
        rule = first_that_holds(rules, features)
        return rule.tier if rule else score(features, settings).tier

    return judge


def always(tier: Tier) -> Judge:
    return lambda _features: tier


def step(chosen: Tier, right: Tier) -> int:
    """Tiers too hard; below 0: too simple."""
    return TIERS.index(chosen) - TIERS.index(right)


def points_of(off: int) -> float:
    return off * TOO_HARD if off > 0 else -off * TOO_SIMPLE


def regret(labelled: Sequence[Labelled], judge: Judge, prices: Prices | None = None) -> Regret:
    pairs = [(one, judge(one.features)) for one in labelled]
    steps = [step(chosen, one.tier) for one, chosen in pairs]
    count = len(steps)
    return Regret(
        count=count,
        wrong=sum(off != 0 for off in steps),
        too_simple=sum(off < 0 for off in steps),
        too_hard=sum(off > 0 for off in steps),
        quality=_mean([points_of(off) for off in steps if off < 0], count),
        points=_mean([points_of(off) for off in steps], count),
        cost=_cost(pairs, prices or {}),
    )


def _mean(values: Sequence[float], count: int) -> float:
    return sum(values) / count if count else 0.0


def _cost(pairs: Sequence[tuple[Labelled, Tier]], prices: Prices) -> Decimal | None:
    """What the harder tiers cost beyond the right ones; what too simple ones save is no gain."""
    if not pairs or not all(prices.get(tier) for tier in TIERS):
        return None
    extra = sum(
        (max(Decimal(0), _price(prices, chosen, one) - _price(prices, one.tier, one))
            for one, chosen in pairs),
        Decimal(0),
    )  # fmt: skip
    return extra / len(pairs) * 1000


def _price(prices: Prices, tier: Tier, one: Labelled) -> Decimal:
    prompt, answer = prices[tier] or (Decimal(0), Decimal(0))
    tokens = Decimal(max(one.features["context"], one.features["tokens"]))
    return (tokens * prompt + ANSWER_TOKENS * answer) / 1_000_000
