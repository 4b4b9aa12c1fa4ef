"""New weights and thresholds from labelled questions: ordinal logistic regression, deterministic.

The weights are drawn towards those of the house, so that a handful of labels changes little; the
thresholds are then those with the least regret. What is learned is judged on labels that it was
not learned from.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gateway.complexity.features import NAMES
from gateway.complexity.replay import (
    TOO_HARD,
    TOO_SIMPLE,
    Labelled,
    Prices,
    Regret,
    judge_by,
    regret,
)
from gateway.complexity.rules import Rule, first_that_holds
from gateway.complexity.score import HARD_FROM, MEDIUM_FROM, TIERS, WEIGHTS, Settings, measure

LEAST_LABELS = 10
FOLDS = 5
ROUNDS, RATE = 400, 0.15
PULL = 2.0  # towards the weights of the house, as strong as about so many labels
MOST_THRESHOLDS = 60  # that are tried for each of the two

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Lesson:
    """A candidate; `then` is on the labels of `now`, each judged without having been seen."""

    settings: Settings
    now: Regret
    then: Regret

    @property
    def is_better(self) -> bool:
        return self.then.points < self.now.points


def learn(
    labelled: Sequence[Labelled],
    current: Settings,
    rules: Sequence[Rule] = (),
    prices: Prices | None = None,
) -> Lesson | None:
    """None with too few labels, or when all have the same tier."""
    if len(labelled) < LEAST_LABELS or len({one.tier for one in labelled}) < 2:
        return None
    now = regret(labelled, judge_by(current, rules), prices)
    return Lesson(fit(labelled, rules), now, _cross_validated(labelled, rules, prices))


def fit(labelled: Sequence[Labelled], rules: Sequence[Rule] = ()) -> Settings:
    """What rules decide teaches the score nothing."""
    open_ones = [one for one in labelled if first_that_holds(rules, one.features) is None]
    if not open_ones:
        return Settings()
    seen = np.array([[measure(n, one.features[n]) for n in NAMES] for one in open_ones])
    tiers = np.array([TIERS.index(one.tier) for one in open_ones])
    weights = _weights(seen, tiers)
    points = seen @ weights
    medium, hard = _thresholds(points, tiers)
    shown = {name: round(float(w), 3) for name, w in zip(NAMES, weights, strict=True)}
    return Settings(shown, round(medium, 3), round(hard, 3))


def _weights(seen: Numbers, tiers: NDArray[np.int64]) -> Numbers:
    """Proportional odds: P(tier <= k) = sigmoid(threshold k - points), by gradient descent."""
    house = np.array([WEIGHTS[name] for name in NAMES])
    weights = house.copy()
    cuts = np.array([MEDIUM_FROM, HARD_FROM])
    size = np.maximum((seen**2).mean(axis=0), 0.1)  # a common pace for flags and long counts
    count = len(tiers)
    for _round in range(ROUNDS):
        points = seen @ weights
        at_most = _sigmoid(cuts[:, None] - points)
        below = np.where(tiers == 0, 0.0, at_most[np.maximum(tiers - 1, 0), np.arange(count)])
        upto = np.where(tiers == 2, 1.0, at_most[np.minimum(tiers, 1), np.arange(count)])
        slope = 1 - upto - below  # of -log(upto - below), by the points
        pulled = (PULL / count) * (weights - house)
        weights -= RATE * ((seen * slope[:, None]).mean(axis=0) + pulled) / size
        cuts += RATE * _cut_gradient(at_most, tiers, below, upto)
        cuts[1] = max(cuts[1], cuts[0] + 0.1)
    return weights


def _cut_gradient(
    at_most: Numbers, tiers: NDArray[np.int64], below: Numbers, upto: Numbers
) -> Numbers:
    chance = np.maximum(upto - below, 1e-9)
    slopes = at_most * (1 - at_most)
    first = np.where(tiers == 0, 1.0, np.where(tiers == 1, -1.0, 0.0)) * slopes[0] / chance
    second = np.where(tiers == 1, 1.0, np.where(tiers == 2, -1.0, 0.0)) * slopes[1] / chance
    return np.array([first.mean(), second.mean()])


def _thresholds(points: Numbers, tiers: NDArray[np.int64]) -> tuple[float, float]:
    """The pair with the least regret, of the middles between neighbours; ties: the widest gap."""
    places = np.unique(points)
    middles = (places[1:] + places[:-1]) / 2
    gaps = places[1:] - places[:-1]
    if len(middles) > MOST_THRESHOLDS:
        keep = np.unique(np.linspace(0, len(middles) - 1, MOST_THRESHOLDS).astype(int))
        middles, gaps = middles[keep], gaps[keep]
    cuts = np.concatenate([[places[0] - 1], middles, [places[-1] + 1]])
    gaps = np.concatenate([[0.0], gaps, [0.0]])
    below = points[None, :] < cuts[:, None]
    best: tuple[float, float, float, float] | None = None
    for low in range(len(cuts)):
        for high in range(low, len(cuts)):
            chosen = 2 - below[low] - below[high]
            off = chosen - tiers
            points_lost = np.where(off > 0, off * TOO_HARD, -off * TOO_SIMPLE).sum()
            found = (float(points_lost), -float(gaps[low] + gaps[high]), float(cuts[low]),
                float(cuts[high]))  # fmt: skip
            best = min(best or found, found)
    assert best is not None
    return best[2], best[3]


def _cross_validated(
    labelled: Sequence[Labelled], rules: Sequence[Rule], prices: Prices | None
) -> Regret:
    """Each fold is judged by what was learned from the others."""
    judges = {}
    for fold in range(FOLDS):
        others = [one for n, one in enumerate(labelled) if n % FOLDS != fold]
        judges[fold] = judge_by(fit(others, rules), rules)
    chosen = {id(one): judges[n % FOLDS](one.features) for n, one in enumerate(labelled)}
    by_features = {id(one.features): chosen[id(one)] for one in labelled}
    return regret(labelled, lambda features: by_features[id(features)], prices)


def _sigmoid(values: Numbers) -> Numbers:
    clipped: Numbers = 1 / (1 + np.exp(-np.clip(values, -30, 30)))
    return clipped
