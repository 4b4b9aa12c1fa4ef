"""Supported sentences in the JSON API."""

from datetime import date
from typing import Annotated, Any, Self
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from accounts.callers import ACCOUNT, ANY, caller
from agents.usage.audience import Whose, mine, of_everybody
from agents.usage.selectors import zone_of
from agents.usage.spans import last_days
from chat.proof.rates import Proof, Rate, RateOf, read_proof

router = Router(tags=["Usage"])
Days = Annotated[int, Query(30, ge=1, le=366, description="Back from today, which counts.")]
ID = "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"
RATE: dict[str, Any] = {"answers": 12, "claims": 61, "supported": 58, "percent": 95.1}
PART: dict[str, Any] = {"id": ID, "name": "Documents", "rate": RATE}
PROOF: dict[str, Any] = {
    "first": "2026-10-23", "last": "2026-11-21", "time_zone": "Europe/Berlin", "total": RATE,
    "by_day": [{"day": "2026-11-21", "rate": RATE}], "by_agent": [PART],
    "by_model": [{"id": None, "name": "offline", "rate": RATE}],
}  # fmt: skip


class RateOut(Schema):
    answers: int = Field(description="Those that were given passages of documents.")
    claims: int = Field(description="Their sentences that make a claim.")
    supported: int = Field(description="How many of these a source stands behind.")
    percent: float | None = Field(description="Null where nothing was claimed.")

    model_config = ConfigDict(json_schema_extra={"examples": [RATE]})


class RateOfDayOut(Schema):
    day: date
    rate: RateOut


class RateOfPartOut(Schema):
    id: UUID | None = Field(description="Of the agent; null for models, and for what is gone.")
    name: str
    rate: RateOut

    @classmethod
    def of(cls, part: RateOf) -> Self:
        key = part.key if isinstance(part.key, UUID) else None
        return cls(id=key, name=part.name, rate=_rate(part.rate))


class ProofOut(Schema):
    first: date
    last: date
    time_zone: str = Field(description="Whose days these are.")
    total: RateOut
    by_day: list[RateOfDayOut] = Field(description="Days without such answers are missing.")
    by_agent: list[RateOfPartOut]
    by_model: list[RateOfPartOut]

    model_config = ConfigDict(json_schema_extra={"examples": [PROOF]})

    @classmethod
    def of(cls, proof: Proof) -> Self:
        return cls(
            first=proof.span.first,
            last=proof.span.last,
            time_zone=str(proof.span.zone),
            total=_rate(proof.total),
            by_day=[RateOfDayOut(day=day, rate=_rate(rate)) for day, rate in _days(proof)],
            by_agent=[RateOfPartOut.of(part) for part in proof.agents],
            by_model=[RateOfPartOut.of(part) for part in proof.models],
        )


@router.get(
    "/me/proof", response=ProofOut, auth=ANY, summary="How well your answers are supported",
    operation_id="get_my_proof",
)  # fmt: skip
def get_my_proof(request: HttpRequest, days: Days = 30) -> Any:
    """Of the answers to your questions: how many of their sentences a source stands behind. Judged
    by wording, numbers and, in English, meaning."""
    return ProofOut.of(_read(mine(caller(request)), days))


@router.get(
    "/proof", response=ProofOut, auth=ACCOUNT, summary="How well everybody's answers are supported",
    operation_id="get_proof",
)  # fmt: skip
def get_proof(request: HttpRequest, days: Days = 30) -> Any:
    """For administrators; days are those of UTC. Numbers alone: nothing of what was asked."""
    return ProofOut.of(_read(of_everybody(caller(request)), days))


def _read(whose: Whose, days: int) -> Proof:
    return read_proof(whose, last_days(days, zone_of(whose, timezone.get_current_timezone())))


def _rate(rate: Rate) -> RateOut:
    return RateOut(
        answers=rate.answers,
        claims=rate.claims,
        supported=rate.supported,
        percent=rate.percent,
    )


def _days(proof: Proof) -> list[tuple[date, Rate]]:
    return sorted(proof.by_day.items())
