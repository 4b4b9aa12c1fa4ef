"""What an administrator is shown of an alias: its regret, how it would judge, its choices."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from gateway.complexity.aliases import Alias, labelled_for, rules_of
from gateway.complexity.choosing import Verdict, judge, wants_vote
from gateway.complexity.features import Features, complete, features_of_text
from gateway.complexity.learning import Lesson, learn
from gateway.complexity.models import RoutingAlias, RoutingChoice
from gateway.complexity.replay import Prices, Regret, always, judge_by, regret
from gateway.complexity.score import Score, score
from gateway.complexity.wording import LABELS, seen
from gateway.models import Deployment

SHOWN = 10  # choices on the page of an alias


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of regrets."""

    label: str
    regret: Regret
    is_current: bool = False


def prices_of(alias: RoutingAlias) -> Prices:
    """For each tier what its cheapest deployment costs; None where that is not known."""
    deployments = Deployment.objects.filter(
        model__in=[target.pk for _tier, target in alias.targets],
        is_enabled=True,
        prompt_price__isnull=False,
        completion_price__isnull=False,
    )
    found: dict[Any, tuple[Decimal, Decimal]] = {}
    for model, prompt, answer in deployments.values_list(
        "model", "prompt_price", "completion_price"
    ):
        prices = (prompt or Decimal(0), answer or Decimal(0))
        found[model] = min(found.get(model, prices), prices, key=sum)
    return {tier: found.get(target.pk) for tier, target in alias.targets}


def lesson_for(alias: RoutingAlias) -> Lesson | None:
    """What its corrections would teach it."""
    return learn(labelled_for(alias), alias.settings, rules_of(alias), prices_of(alias))


def regrets(alias: RoutingAlias) -> tuple[list[Row], Lesson | None]:
    """The settings as they are, the candidate, and the two that need no settings at all."""
    labelled, rules, prices = labelled_for(alias), rules_of(alias), prices_of(alias)
    if not labelled:
        return [], None
    lesson = learn(labelled, alias.settings, rules, prices)
    now = regret(labelled, judge_by(alias.settings, rules), prices)
    rows = [Row(_("As it is"), now, is_current=True)]
    if lesson:
        rows.append(Row(_("With what it would learn"), lesson.then))
    rows.append(Row(_("Always hard"), regret(labelled, always("hard"), prices)))
    rows.append(Row(_("Always simple"), regret(labelled, always("simple"), prices)))
    return rows, lesson


@dataclass(frozen=True, slots=True)
class Trial:
    """How a question that an administrator typed would be judged; it is kept nowhere."""

    verdict: Verdict
    target: Any
    asks_judge: bool
    shares: list[dict[str, Any]]


def try_question(alias: RoutingAlias, text: str) -> Trial:
    known = Alias(
        alias.pk,
        str(alias.model),
        alias.settings,
        rules_of(alias),
        judge=str(alias.judge or ""),
        judge_margin=alias.judge_margin,
    )
    verdict = judge(known, features_of_text(text), "")
    target = getattr(alias, verdict.tier)
    return Trial(verdict, target, wants_vote(known, verdict), explained(verdict.score))


def explained(found: Score) -> list[dict[str, Any]]:
    return [
        {"seen": seen(share.name, share.value), "points": share.points} for share in found.shares
    ]


def weights(alias: RoutingAlias) -> list[dict[str, Any]]:
    """Every feature with its points, the heaviest first."""
    known = alias.settings.weights
    names = sorted(LABELS, key=lambda name: -abs(known.get(name, 0.0)))
    return [{"name": n, "label": LABELS[n], "points": known.get(n, 0.0)} for n in names]


def with_shares(choices: Iterable[RoutingChoice]) -> list[RoutingChoice]:
    """The choices, each with `seen`: what counted, the strongest first, by the weights of now."""
    rows = list(choices)
    for row in rows:
        features: Features = complete(row.features)
        found = score(features, row.alias.settings)
        row.seen = explained(found)[:4]  # type: ignore[attr-defined]
    return rows
