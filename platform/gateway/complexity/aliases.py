"""Aliases as the hot path knows them: read from the database, remembered for two seconds."""

from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass
from typing import Any
from uuid import UUID

import structlog
from django.utils.crypto import salted_hmac

from gateway.complexity.features import complete
from gateway.complexity.models import RoutingAlias, RoutingChoice, RoutingRule
from gateway.complexity.replay import Labelled
from gateway.complexity.rules import NoCondition, Rule, parse
from gateway.complexity.score import Settings, Tier
from observability.remembered import Remembered

LABELLED = 2000  # corrections that count: the newest

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Alias:
    """All that a decision needs. `corrected` are questions that people have judged themselves, by
    their fingerprints."""

    id: UUID
    name: str
    settings: Settings
    rules: tuple[Rule, ...] = ()
    corrected: Mapping[str, Tier] | None = None
    judge: str = ""
    judge_margin: float = 0.0

    def basis(self, question: str) -> list[Any]:
        """All that decides for the question beside itself: while this is the same, so is the
        choice."""
        rules = [[rule.tier, [astuple(one) for one in rule.conditions]] for rule in self.rules]
        corrected = (self.corrected or {}).get(fingerprint(question), "")
        return [asdict(self.settings), rules, corrected, self.judge, self.judge_margin]


def read_alias(name: str) -> Alias | None:
    row = RoutingAlias.objects.select_related("judge").filter(model__name=name).first()
    if row is None:
        return None
    return Alias(
        row.pk,
        name,
        row.settings,
        rules_of(row),
        dict(_corrections(row, "fingerprint", "corrected_tier")),
        row.judge.name if row.judge else "",
        row.judge_margin,
    )


_remembered = Remembered(read_alias)


async def find_alias(name: str) -> Alias | None:
    """By its name; at most three queries in two seconds and process."""
    return await _remembered.get(name)


def forget_aliases() -> None:
    """Let the next question see a change at once (this process)."""
    _remembered.forget()


def rules_of(alias: RoutingAlias) -> tuple[Rule, ...]:
    """Those that are on, in their order."""
    rows = RoutingRule.objects.filter(alias=alias, is_enabled=True).order_by("position", "id")
    return tuple(rule for row in rows if (rule := as_rule(row)))


def as_rule(row: RoutingRule) -> Rule | None:
    """A row that no longer means anything decides nothing."""
    try:
        return Rule(parse(row.conditions), row.tier)  # type: ignore[arg-type]
    except NoCondition as error:
        log.warning("routing_rule_unreadable", rule=str(row.pk), why=str(error))
        return None


def labelled_for(alias: RoutingAlias) -> list[Labelled]:
    """The newest corrections, the oldest of them first."""
    rows = _corrections(alias, "features", "corrected_tier")
    return [Labelled(complete(features), tier) for features, tier in rows]


def fingerprint(question: str) -> str:
    """Of the question but for case and spaces; keyed, so that no guess can be tried against it."""
    words = " ".join(question.lower().split())
    return salted_hmac("gateway.complexity", words, algorithm="sha256").hexdigest()[:32]


def _corrections(alias: RoutingAlias, *fields: str) -> list[Any]:
    """Rows of the fields, the oldest of the newest first."""
    found = RoutingChoice.objects.filter(alias=alias).exclude(corrected_tier="")
    newest = found.order_by("-corrected_at", "-id").values_list(*fields)[:LABELLED]
    return list(newest)[::-1]
