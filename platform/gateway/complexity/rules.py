"""Rules that a person writes and reads: "code" and "tokens > 400" → hard. Pure.

One condition a line: the name of a feature, `not` and the name, or the name, a sign and a number.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from operator import eq, ge, gt, le, lt

from django.utils.translation import gettext as _

from gateway.complexity.features import FLAGS, NAMES, Features
from gateway.complexity.score import Score, Tier
from gateway.complexity.wording import condition_words, tier_name

SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">=": ge, "<=": le, ">": gt, "<": lt, "=": eq,
}  # fmt: skip
MOST_CONDITIONS = 10
_LINE = re.compile(r"(?:(not)\s+)?(\w+)(?:\s*(>=|<=|>|<|=)\s*(\d+(?:\.\d+)?))?")


class NoCondition(ValueError):
    """A line that says nothing about a feature; the message is for whoever wrote it."""


@dataclass(frozen=True, slots=True)
class Condition:
    feature: str
    sign: str
    value: float

    def holds(self, features: Features) -> bool:
        return SIGNS[self.sign](features[self.feature], self.value)

    def __str__(self) -> str:
        return condition_words(self.feature, self.sign, self.value)


@dataclass(frozen=True, slots=True)
class Rule:
    """All conditions must hold; a rule without any never does."""

    conditions: tuple[Condition, ...]
    tier: Tier

    def holds(self, features: Features) -> bool:
        return bool(self.conditions) and all(one.holds(features) for one in self.conditions)

    def __str__(self) -> str:
        joined = _(" and ").join(map(str, self.conditions))
        return f"{joined} → {tier_name(self.tier)}"


def first_that_holds(rules: Iterable[Rule], features: Features) -> Rule | None:
    return next((rule for rule in rules if rule.holds(features)), None)


@lru_cache(maxsize=1000)
def parse(text: str) -> tuple[Condition, ...]:
    """The conditions, one a line; raises NoCondition."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise NoCondition(_("At least one condition."))
    if len(lines) > MOST_CONDITIONS:
        raise NoCondition(_("At most %(n)s conditions.") % {"n": MOST_CONDITIONS})
    return tuple(map(_condition, lines))


def suggest(score: Score) -> str:
    """Conditions for questions like this one: those of its strongest features, with some room."""
    return "\n".join(_line_for(share.name, share.value) for share in score.shares[:2])


def _condition(line: str) -> Condition:
    found = _LINE.fullmatch(line.lower())
    if found is None or found[2] not in NAMES or (found[1] and found[3]):
        raise NoCondition(
            _("“%(line)s” is no condition: write “code”, “not code” or “tokens > 400”.")
            % {"line": line[:80]}
        )
    if found[3]:
        return Condition(found[2], found[3], float(found[4]))
    return Condition(found[2], "=" if found[1] else ">", 0.0)


def _line_for(name: str, value: float) -> str:
    if name in FLAGS:
        return name
    least = value if value < 10 else _rounded(value)
    return f"{name} >= {least:g}"


def _rounded(value: float) -> float:
    """Down to one figure: 437 is 400."""
    size: int = 10 ** (len(str(int(value))) - 1)
    return value // size * size
