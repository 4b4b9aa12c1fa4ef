"""What the judged answers of a time add up to; whose they are is part of the query."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self
from uuid import UUID

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import TruncDate

from agents.usage.audience import Whose, may_see_all
from agents.usage.names import nameless, names_of
from agents.usage.spans import Span
from chat.models import Conversation, Message
from security.ids import first_id_at


@dataclass(frozen=True, slots=True)
class Rate:
    """Answers with sources, their sentences that make a claim, and those that one stands behind."""

    answers: int = 0
    claims: int = 0
    supported: int = 0

    def __add__(self, other: Self) -> "Rate":
        return Rate(
            self.answers + other.answers,
            self.claims + other.claims,
            self.supported + other.supported,
        )

    @property
    def percent(self) -> float | None:
        """None where nothing was claimed."""
        return round(100 * self.supported / self.claims, 1) if self.claims else None


@dataclass(frozen=True, slots=True)
class RateOf:
    """What of it was one agent's or model's; `key` None: nobody's that the viewer may know."""

    key: Any
    name: str
    rate: Rate


@dataclass(frozen=True, slots=True)
class Proof:
    span: Span
    total: Rate
    by_day: Mapping[date, Rate]
    agents: list[RateOf]
    models: list[RateOf]
    models_by_day: Mapping[str, Mapping[date, Rate]] = field(default_factory=dict)


def read_proof(whose: Whose, span: Span) -> Proof:
    """Two queries, however many answers there are: the sums, and the names of agents."""
    rows = [_Row(*row) for row in _sums(whose, span)]
    agents = _added((row.agent_id, row.rate) for row in rows)
    models = _added((row.model, row.rate) for row in rows)
    names = names_of(whose, "agent", agents.keys())
    return Proof(
        span,
        sum((row.rate for row in rows), Rate()),
        _added((row.day, row.rate) for row in rows),
        _named(agents, names),
        _named(models, {model: model for model in models if model}),
        {
            model: _added((row.day, row.rate) for row in rows if row.model == model)
            for model in models
            if model
        },
    )


@dataclass(frozen=True, slots=True)
class _Row:
    day: date
    agent_id: UUID | None
    model: str
    answers: int
    claims: int
    supported: int

    @property
    def rate(self) -> Rate:
        return Rate(self.answers, self.claims, self.supported)


def _sums(whose: Whose, span: Span) -> Iterable[tuple[Any, ...]]:
    rows = _judged(whose).filter(
        pk__gte=first_id_at(span.since), pk__lt=first_id_at(span.until), claims__gt=0
    )
    days: Any = rows.annotate(day=TruncDate("created_at", tzinfo=span.zone), agent=F("turn__agent"))
    grouped = days.order_by().values_list("day", "agent", "model_name")
    found: Iterable[tuple[Any, ...]] = grouped.annotate(
        answers=Count("pk"), all_claims=Sum("claims"), all_supported=Sum("supported")
    )
    return found


def _judged(whose: Whose) -> "QuerySet[Message]":
    """One's own: what one asked, where one may still read it. Everybody's: for those who see their
    usage. Temporary and deleted conversations count for nobody."""
    kept = Conversation.objects.lasting().filter(deleted_at=None)
    answers = Message.objects.filter(conversation__in=kept)
    if whose.kind == "all":
        return answers if may_see_all(whose.viewer) else answers.none()
    if whose.kind == "me":
        return answers.visible_to(whose.viewer).filter(turn__requested_by=whose.viewer)
    return answers.none()


def _added(rates: Iterable[tuple[Any, Rate]]) -> dict[Any, Rate]:
    found: dict[Any, Rate] = {}
    for key, rate in rates:
        found[key] = found.get(key, Rate()) + rate
    return found


def _named(rates: Mapping[Any, Rate], names: Mapping[Any, str]) -> list[RateOf]:
    """The most answers first; what has no name for the viewer is together."""
    known = [RateOf(key, names[key], rate) for key, rate in rates.items() if names.get(key)]
    others = [rate for key, rate in rates.items() if key and not names.get(key)]
    nobody = [rate for key, rate in rates.items() if not key]
    for key, some in ((True, others), (None, nobody)):
        if some:
            known.append(RateOf(None, nameless("agent", key), sum(some, Rate())))
    return sorted(known, key=lambda part: (-part.rate.answers, part.name))
