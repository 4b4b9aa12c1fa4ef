"""Whether a change is more than chance: the paired bootstrap. Pure, and the same every time.

Questions are drawn again with replacement, their differences averaged, and the middle 95 % of those
averages is the interval (percentiles: Efron & Tibshirani, An Introduction to the Bootstrap, 1993,
ch. 13; for comparing searches Sakai, SIGIR 2006). A change loses where all of it lies below zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from knowledge.quality.judging import Judged

DRAWS = 10_000
AT_ONCE = 250  # draws, so that memory stays small
SEED = 20_060_806
LEVEL = 95.0
# What is compared: nDCG of questions that expect something, silence of those that must find
# nothing, and support of answers where they were written.
MEASURES = ("ndcg", "quiet", "supported")


@dataclass(frozen=True, slots=True)
class Change:
    """The mean difference over `n` questions, and between which bounds it lies."""

    n: int
    delta: float
    low: float
    high: float

    @property
    def loses(self) -> bool:
        return self.high < 0

    @property
    def gains(self) -> bool:
        return self.low > 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        return cls(data["n"], data["delta"], data["low"], data["high"])


def paired_bootstrap(differences: Sequence[float]) -> Change:
    """The interval of their mean; of no questions, nothing changed."""
    if not differences:
        return Change(0, 0.0, 0.0, 0.0)
    values = np.asarray(differences, np.float64)
    draw = np.random.default_rng(SEED)
    means = np.concatenate(
        [
            values[draw.integers(0, len(values), (AT_ONCE, len(values)))].mean(axis=1)
            for _ in range(DRAWS // AT_ONCE)
        ]
    )
    edge = (100 - LEVEL) / 2
    low, high = np.percentile(means, [edge, 100 - edge])
    numbers = (round(float(value), 6) for value in (values.mean(), low, high))
    return Change(len(values), *numbers)


def compare(before: Mapping[Any, Judged], after: Mapping[Any, Judged]) -> dict[str, Change]:
    """By measure, over the questions that both were asked; without measures that none of these say
    anything about."""
    changes = {measure: _change(before, after, measure) for measure in MEASURES}
    return {measure: change for measure, change in changes.items() if change.n}


def value_of(judged: Judged, measure: str) -> float | None:
    if measure == "quiet":
        return None if judged.is_quiet is None else float(judged.is_quiet)
    return judged.ndcg if measure == "ndcg" else judged.supported


def _change(before: Mapping[Any, Judged], after: Mapping[Any, Judged], measure: str) -> Change:
    shared = (key for key in before if key in after)
    pairs = ((value_of(before[key], measure), value_of(after[key], measure)) for key in shared)
    return paired_bootstrap([b - a for a, b in pairs if a is not None and b is not None])
