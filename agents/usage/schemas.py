"""What the JSON API says about usage."""

from dataclasses import asdict
from datetime import date
from typing import Any, Self
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field

from agents.usage.outlook import Outlook
from agents.usage.overview import Overview
from agents.usage.selectors import Part
from agents.usage.sums import COUNTED, Spent

ID = "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"
SPENT: dict[str, Any] = {
    "calls": 42, "failed": 1, "uncosted": 12, "prompt_tokens": 81_200, "cached_tokens": 40_960,
    "cache_write_tokens": 0, "completion_tokens": 9_800, "reasoning_tokens": 1_200,
    "costs": [{"currency": "USD", "amount": "0.4126"}],
}  # fmt: skip
PART: dict[str, Any] = {"id": ID, "name": "Helper", "spent": SPENT}
USAGE: dict[str, Any] = {
    "first": "2026-10-23", "last": "2026-11-21", "time_zone": "Europe/Berlin", "total": SPENT,
    "per_answer": {
        "answers": 37, "uncosted": 12, "costs": [{"currency": "USD", "amount": "0.011151"}],
    },
    "forecast": [{"unit": "USD", "so_far": 0.41, "expected": 0.61, "low": 0.52, "high": 0.7}],
    "by_day": [{"day": "2026-11-21", "spent": SPENT}],
    "by": {"agent": [PART]},
}  # fmt: skip


class CostOut(Schema):
    currency: str
    amount: str = Field(description="A decimal number.")


class SpentOut(Schema):
    calls: int
    failed: int
    uncosted: int = Field(description="Calls whose cost nobody knows: they are in no `costs`.")
    prompt_tokens: int
    cached_tokens: int = Field(description="Of the prompt, read from a provider's cache.")
    cache_write_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    costs: list[CostOut] = Field(description="One for each currency; they are never added up.")

    model_config = ConfigDict(json_schema_extra={"examples": [SPENT]})

    @classmethod
    def of(cls, spent: Spent) -> Self:
        paid = sorted(spent.costs.items())
        costs = [CostOut(currency=name, amount=f"{cost.normalize():f}") for name, cost in paid]
        return cls(costs=costs, **{name: getattr(spent, name) for name in COUNTED})


class PartOut(Schema):
    id: UUID | None = Field(description="Of the agent, person, team or token.")
    name: str
    spent: SpentOut

    @classmethod
    def of(cls, part: Part) -> Self:
        key = part.key if isinstance(part.key, UUID) else None
        return cls(id=key, name=part.name, spent=SpentOut.of(part.spent))


class DayOut(Schema):
    day: date
    spent: SpentOut


class OutlookOut(Schema):
    unit: str = Field(description="A currency, or `tokens` where nothing has a price.")
    so_far: float
    expected: float = Field(description="At the end of the month.")
    low: float = Field(description="With `high`: where it ends in eight of ten months.")
    high: float

    @classmethod
    def of(cls, outlook: Outlook) -> Self:
        return cls(unit=outlook.unit, **asdict(outlook.forecast))


class PerAnswerOut(Schema):
    answers: int
    costs: list[CostOut]
    uncosted: int = Field(description="Calls without a known cost: they count nothing.")

    @classmethod
    def of(cls, each: Spent) -> Self:
        costs = SpentOut.of(each).costs
        return cls(answers=each.calls, uncosted=each.uncosted, costs=costs)


class UsageOut(Schema):
    first: date
    last: date
    time_zone: str = Field(description="Whose days these are.")
    total: SpentOut
    per_answer: PerAnswerOut | None = Field(
        description="On average, with failed tries, titles and memory; null without answers."
    )
    forecast: list[OutlookOut] = Field(description="Of this month; empty while little is known.")
    by_day: list[DayOut] = Field(description="Days without calls are left out.")
    by: dict[str, list[PartOut]] = Field(
        description="`model`, `agent`, `purpose` and, as far as they may be seen, `token`, "
        "`person`, `team`, `endpoint`. A call of somebody in two teams counts for both."
    )

    model_config = ConfigDict(json_schema_extra={"examples": [USAGE]})

    @classmethod
    def of(cls, found: Overview) -> Self:
        each, span = found.per_answer, found.span
        days = [(day, Spent.sum(found.daily.of(day).values())) for day in span.days]
        parts = found.parts.items()
        return cls(
            first=span.first,
            last=span.last,
            time_zone=str(span.zone),
            total=SpentOut.of(found.total),
            per_answer=None if each is None else PerAnswerOut.of(each),
            forecast=[OutlookOut.of(outlook) for outlook in found.outlooks],
            by_day=[DayOut(day=day, spent=SpentOut.of(sums)) for day, sums in days if sums.calls],
            by={name: [PartOut.of(part) for part in those] for name, those in parts},
        )
