"""Whether a call may be made, as a table: what it can do × what the run has read × who may read
that. Pure: no database, no model, nothing that a text could talk to.

The rule of two: of untrusted input, private data, and a way to change or send something, a
conversation has two by itself and the third only where the person says so. An administrator's rules
(`agents.authority.rules`) take the place of cells, but never loosen that one.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal
from uuid import UUID

from agents.authority.types import VerdictKind
from agents.tools.types import Effect, Taint

ALLOW: Final = "allow"
ASK: Final = "ask"
DENY: Final = "deny"
STRICTNESS: dict[VerdictKind, int] = {ALLOW: 0, ASK: 1, DENY: 2}


class Scope(StrEnum):
    """For how long a yes may hold."""

    ONCE = "once"
    CONVERSATION = "conversation"
    ALWAYS = "always"


class Audience(StrEnum):
    """Who may read what the run has read, besides the person."""

    NOBODY = "nobody"
    SOME = "some"  # the readers of some collections
    EVERYBODY = "everybody"


Taints = frozenset[Taint]
CLEAN: Taints = frozenset()
UNTRUSTED: Taints = frozenset({Taint.UNTRUSTED})
PRIVATE: Taints = frozenset({Taint.PRIVATE})
BOTH: Taints = UNTRUSTED | PRIVATE

Cell = tuple[VerdictKind, Scope]
YES: Cell = (ALLOW, Scope.ALWAYS)
ASKED: Cell = (ASK, Scope.ALWAYS)  # and a yes may hold for ever …
HERE: Cell = (ASK, Scope.CONVERSATION)  # … in this conversation …
EACH: Cell = (ASK, Scope.ONCE)  # … or for this one call

# Where NOBODY else, SOME others, EVERYBODY may read what was read; and why.
Row = tuple[Cell, Cell, Cell, str]
TABLE: dict[tuple[Effect, Taints], Row] = {
    (Effect.NONE, CLEAN): (YES, YES, YES, "computes"),
    (Effect.NONE, UNTRUSTED): (YES, YES, YES, "computes"),
    (Effect.NONE, PRIVATE): (YES, YES, YES, "computes"),
    (Effect.NONE, BOTH): (YES, YES, YES, "computes"),
    (Effect.READS, CLEAN): (YES, YES, YES, "reads"),
    (Effect.READS, UNTRUSTED): (YES, YES, YES, "reads"),
    (Effect.READS, PRIVATE): (YES, YES, YES, "reads"),
    (Effect.READS, BOTH): (YES, YES, YES, "reads"),
    (Effect.CHANGES, CLEAN): (ASKED, ASKED, ASKED, "changes"),
    (Effect.CHANGES, UNTRUSTED): (HERE, HERE, HERE, "changes_untrusted"),
    (Effect.CHANGES, PRIVATE): (ASKED, ASKED, ASKED, "changes"),
    (Effect.CHANGES, BOTH): (EACH, EACH, EACH, "changes_both"),
    (Effect.SENDS, CLEAN): (ASKED, ASKED, ASKED, "sends"),
    (Effect.SENDS, UNTRUSTED): (HERE, HERE, HERE, "sends_untrusted"),
    # What only the person may read leaves the house by their word alone, each time.
    (Effect.SENDS, PRIVATE): (EACH, HERE, ASKED, "sends_private"),
    (Effect.SENDS, BOTH): (EACH, EACH, EACH, "sends_both"),
}


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the table says of a call, and the code of why (`agents.authority.wording`).

    `longest` is for how long a yes may hold, and what was allowed for longer before does not cover
    the call. `is_rule_of_two`: all three came together.
    """

    kind: VerdictKind
    why: str
    longest: Scope = Scope.ALWAYS
    is_rule_of_two: bool = False


def audience_of(taints: Taints, readers: Collection[UUID]) -> Audience:
    """Of private data whose readers are not known, nobody but the person is one."""
    if Taint.PRIVATE not in taints:
        return Audience.EVERYBODY
    return Audience.SOME if readers else Audience.NOBODY


def is_rule_of_two(effect: Effect, taints: Taints) -> bool:
    return effect in {Effect.CHANGES, Effect.SENDS} and taints >= BOTH


def ruling_of(effect: Effect, taints: Taints, audience: Audience) -> Ruling:
    """The cell of the table."""
    row = TABLE[effect, taints]
    kind, longest = row[_COLUMNS[audience]]
    return Ruling(kind, row[-1], longest, is_rule_of_two(effect, taints))


_COLUMNS: dict[Audience, Literal[0, 1, 2]] = {
    Audience.NOBODY: 0,
    Audience.SOME: 1,
    Audience.EVERYBODY: 2,
}


def floor_of(effect: Effect, taints: Taints) -> VerdictKind:
    """The loosest that a rule may make of a cell."""
    return ASK if is_rule_of_two(effect, taints) else ALLOW


def stricter(one: VerdictKind, other: VerdictKind) -> VerdictKind:
    return max(one, other, key=STRICTNESS.__getitem__)


def covers(allowed: Scope, longest: Scope) -> bool:
    """Whether what was allowed for so long holds for a call of which `longest` is the most."""
    return longest == Scope.ALWAYS or allowed == longest == Scope.CONVERSATION
