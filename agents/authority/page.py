"""What the policy page of the administration shows: the whole table, and one case tried."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from agents.approvals.models import EffectKind
from agents.authority.models import TAINTS, PolicyRule
from agents.authority.policy import ASK, Audience, Scope
from agents.authority.rules import Case, Judged, Rule, judge
from agents.authority.wording import reason_of
from agents.tools.registry import TOOLS
from agents.tools.types import Effect

LONGEST = {
    Scope.ONCE: _("every time"),
    Scope.CONVERSATION: _("once a conversation, if wanted"),
    Scope.ALWAYS: _("once and for all, if wanted"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    audience: str
    kind: str
    name: str
    longest: str  # empty where nobody is asked
    by_rule: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One row: an effect and what was read; its three cells."""

    effect: str
    read: str
    why: str
    cells: tuple[Cell, ...]
    is_first: bool  # of its effect


class CaseForm(forms.Form):
    """One case to try. A tool that is named brings its effect along."""

    tool = forms.CharField(label=_("tool"), max_length=64, required=False)
    server = forms.CharField(label=_("server"), max_length=200, required=False)
    effect = forms.ChoiceField(label=_("effect"), choices=EffectKind.choices, required=False)
    read = forms.ChoiceField(label=_("what was read before"), choices=PolicyRule.Read.choices)
    readers = forms.ChoiceField(
        label=_("who else may read that"), choices=PolicyRule.Readers.choices
    )

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        known = TOOLS.get(found.get("tool", ""))
        if known is not None:
            found["effect"] = known.effect.value
        elif not found.get("effect"):
            found["effect"] = Effect.NONE.value
        return found


@dataclass(frozen=True, slots=True)
class Outcome:
    kind: str
    name: str
    reason: str
    rule: Rule | None
    is_held: bool
    effect: str | Promise
    longest: str


def lines(rules: tuple[Rule, ...]) -> list[Line]:
    """The table as it holds for a tool that no rule names."""
    found = []
    for effect in EffectKind:
        for n, read in enumerate(PolicyRule.Read):
            judged = [
                judge(Case(Effect(effect.value), TAINTS[read.value], audience), rules)
                for audience in Audience
            ]
            cells = tuple(_cell(*pair) for pair in zip(PolicyRule.Readers, judged, strict=True))
            why = str(reason_of(judged[-1]))
            found.append(Line(str(effect.label), str(read.label), why, cells, n == 0))
    return found


def _cell(audience: PolicyRule.Readers, judged: Judged) -> Cell:
    kind = PolicyRule.Kind(judged.ruling.kind)
    return Cell(
        str(audience.label), kind.value, str(kind.label), _longest(judged), judged.rule is not None
    )


def _longest(judged: Judged) -> str:
    return str(LONGEST[judged.ruling.longest]) if judged.ruling.kind == ASK else ""


def outcome(tried: dict[str, Any], rules: tuple[Rule, ...]) -> Outcome:
    """What would happen to such a call."""
    effect, taints = Effect(tried["effect"]), TAINTS[tried["read"]]
    case = Case(effect, taints, Audience(tried["readers"]), tried["tool"], tried["server"])
    judged = judge(case, rules)
    kind = PolicyRule.Kind(judged.ruling.kind)
    return Outcome(
        kind.value,
        str(kind.label),
        str(reason_of(judged)),
        judged.rule,
        judged.is_held,
        EffectKind(effect.value).label,
        _longest(judged),
    )
