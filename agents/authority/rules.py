"""What administrators decide otherwise than the table does. Pure; the rows are `PolicyRule`."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from agents.authority.policy import (
    CLEAN,
    STRICTNESS,
    Audience,
    Ruling,
    Taints,
    floor_of,
    ruling_of,
    stricter,
)
from agents.authority.types import VerdictKind
from agents.tools.types import Effect


@dataclass(frozen=True, slots=True)
class Case:
    """One call, and what was read before it."""

    effect: Effect
    taints: Taints = CLEAN
    audience: Audience = Audience.EVERYBODY
    tool: str = ""
    server: str = ""

    @property
    def cell(self) -> tuple[Effect, Taints, Audience]:
        return self.effect, self.taints, self.audience


@dataclass(frozen=True, slots=True)
class Rule:
    """Holds for calls of `tool`, or of all tools with `effect`; None and "" hold for all.

    A tool of a server is named as its calls are, or by `server` for all of them.
    """

    kind: VerdictKind
    tool: str = ""
    server: str = ""
    effect: Effect | None = None
    taints: Taints | None = None
    audience: Audience | None = None
    reason: str = ""

    def holds(self, case: Case) -> bool:
        return (
            self.tool in ("", case.tool)
            and self.server in ("", case.server)
            and self.effect in (None, case.effect)
            and self.taints in (None, case.taints)
            and self.audience in (None, case.audience)
        )

    @property
    def rank(self) -> tuple[bool, bool, bool, int, int]:
        """The more is said of which calls, the more it counts; of two that say the same much, the
        stricter one does."""
        conditions = (self.taints is not None) + (self.audience is not None)
        return (
            bool(self.tool),
            bool(self.server),
            self.effect is not None,
            conditions,
            STRICTNESS[self.kind],
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """The ruling, the rule that made it (None: the table did), and whether its floor held it."""

    ruling: Ruling
    rule: Rule | None = None
    is_held: bool = False


def judge(case: Case, rules: Iterable[Rule] = ()) -> Judged:
    """The most particular rule that holds, no looser than the rule of two; else the table."""
    found = [rule for rule in rules if rule.holds(case)]
    by_table = ruling_of(*case.cell)
    if not found:
        return Judged(by_table)
    rule = max(found, key=lambda one: one.rank)
    kind = stricter(rule.kind, floor_of(case.effect, case.taints))
    is_held = kind != rule.kind
    why = by_table.why if is_held else "rule"
    return Judged(replace(by_table, kind=kind, why=why), rule, is_held)
