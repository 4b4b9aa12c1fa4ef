"""How hard a question is: points for what is seen of it, and two thresholds. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log2
from typing import Literal, get_args

from gateway.complexity.features import FLAGS, Features

Tier = Literal["simple", "medium", "hard"]
TIERS: tuple[Tier, ...] = get_args(Tier)

# Points for a flag; for a count, points for each unit of its `measure`.
WEIGHTS: Mapping[str, float] = {
    "code": 1.5, "table": 1.0, "math": 1.5, "lookup": -1.0, "comparison": 1.5, "reasoning": 1.5,
    "writing": 0.8, "chinese": 0.0, "other_language": 0.3, "tokens": 0.6, "questions": 0.3,
    "constraints": 0.4, "steps": 0.35, "passages": 0.25, "images": 0.8, "history": 0.2,
    "tools": 0.5, "effort": 1.5, "context": 0.3,
}  # fmt: skip
MEDIUM_FROM, HARD_FROM = 2.0, 4.5
# A doubling of these counts as much as the one before: by how much of it the first.
DOUBLING = {"tokens": 32.0, "context": 2000.0, "passages": 1.0, "history": 1.0}
MOST = 8.0  # of anything else that is counted


@dataclass(frozen=True, slots=True)
class Settings:
    """What an alias judges by."""

    weights: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)
    medium_from: float = MEDIUM_FROM
    hard_from: float = HARD_FROM

    def tier(self, points: float) -> Tier:
        if points < self.medium_from:
            return "simple"
        return "medium" if points < self.hard_from else "hard"

    def distance(self, points: float) -> float:
        """From the nearer threshold."""
        return min(abs(points - self.medium_from), abs(points - self.hard_from))


@dataclass(frozen=True, slots=True)
class Share:
    """What one feature adds to the points."""

    name: str
    value: float  # as it was seen
    points: float


@dataclass(frozen=True, slots=True)
class Score:
    points: float
    tier: Tier
    shares: tuple[Share, ...]  # the strongest first; without those that add nothing


def measure(name: str, value: float) -> float:
    """What the weight is multiplied with."""
    if name in FLAGS:
        return value
    if first := DOUBLING.get(name):
        return log2(1 + value / first)
    return min(value, MOST)


def score(features: Features, settings: Settings) -> Score:
    """The same features always have the same score."""
    weights = settings.weights
    shares = [
        Share(name, value, measure(name, value) * weights.get(name, 0.0))
        for name, value in features.items()
        if value
    ]
    points = sum(share.points for share in shares)
    found = sorted((s for s in shares if s.points), key=lambda s: (-abs(s.points), s.name))
    return Score(points, settings.tier(points), tuple(found))
