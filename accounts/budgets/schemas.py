"""Budgets as JSON."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field, StringConstraints

from accounts.budgets.models import Budget
from accounts.budgets.selectors import Quota
from security.schemas import WriteSchema

ID = "0192f0c1-7a4e-7c1e-9a51-5f0f3f1b2c3d"
QUOTA: dict[str, Any] = {
    "budget_id": ID, "name": "Everybody's month", "scope": "user", "owner": "Alice",
    "subject_id": ID, "unit": "tokens", "currency": "", "period": "month", "limit": "1000000",
    "used": "230120", "held": "4100", "left": "765780", "warn_at": 80, "stops": True,
    "starts_at": "2026-11-01T00:00:00Z", "resets_at": "2026-12-01T00:00:00Z",
}  # fmt: skip
BUDGET: dict[str, Any] = {
    "name": "Everybody's month", "scope": "user", "subject_id": None, "unit": "tokens",
    "currency": "", "limit": "1000000", "period": "month", "warn_at": 80, "stops": True,
    "allows_unpriced": False, "falls_back": False, "fall_back_to": "", "emails": [],
    "webhook": "", "enabled": True,
}  # fmt: skip

Scope = Literal["installation", "team", "user", "agent", "token"]
Unit = Literal["tokens", "money", "requests", "storage"]
Period = Literal["day", "week", "month", "ever"]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=28, decimal_places=12)]
Currency = Annotated[str, StringConstraints(pattern="^([A-Za-z]{3})?$")]
Model = Annotated[str, StringConstraints(max_length=120)]
Address = Annotated[str, StringConstraints(max_length=500, pattern=r"^(https?://[^\s/@?#]+.*)?$")]
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254)]
Emails = Annotated[list[Email], Field(max_length=20)]
Percent = Annotated[int, Field(ge=1, le=100)]


def plain(amount: Decimal) -> str:
    """Without an exponent and trailing zeros; a string, since no float holds it exactly."""
    text = f"{amount.normalize():f}"
    return text if text != "-0" else "0"


class QuotaOut(Schema):
    """What is left of a budget for one subject. Amounts are decimal strings."""

    budget_id: UUID
    name: str
    scope: Scope
    subject_id: UUID
    owner: str = Field(description="The name of whoever it is for.")
    unit: Unit
    currency: str = Field(description="Of money; else empty.")
    period: Period
    limit: str
    used: str
    held: str = Field(description="What calls under way may still take.")
    left: str
    warn_at: int = Field(description="Percent of the limit.")
    stops: bool = Field(description="What does not fit is refused; else there are only warnings.")
    starts_at: datetime | None
    resets_at: datetime | None = Field(description="Null where it does not, as with storage.")

    model_config = ConfigDict(json_schema_extra={"examples": [QUOTA]})

    @classmethod
    def of(cls, quota: Quota) -> "QuotaOut":
        budget = quota.budget
        return cls(
            budget_id=budget.pk, name=budget.name, scope=cast("Scope", budget.scope),
            unit=cast("Unit", budget.unit), subject_id=quota.subject_id, owner=quota.owner,
            currency=budget.currency, period=cast("Period", budget.period),
            limit=plain(budget.limit), used=plain(quota.used), held=plain(quota.held),
            left=plain(quota.left), warn_at=budget.warn_at, stops=budget.is_hard,
            starts_at=quota.starts_at, resets_at=quota.resets_at,
        )  # fmt: skip


class BudgetOut(Schema):
    id: UUID
    name: str
    scope: Scope
    subject_id: UUID | None = Field(description="Null: each of the scope, or the installation.")
    unit: Unit
    currency: str
    limit: str
    period: Period
    warn_at: int
    stops: bool
    allows_unpriced: bool
    falls_back: bool
    fall_back_to: str
    emails: list[str]
    webhook: str
    secret: str = Field("", description="Of the webhook; only in the answer that made it.")
    enabled: bool

    model_config = ConfigDict(json_schema_extra={"examples": [BUDGET | {"id": ID, "secret": ""}]})

    @classmethod
    def of(cls, budget: Budget, secret: str = "") -> "BudgetOut":
        return cls(
            id=budget.pk, name=budget.name, scope=cast("Scope", budget.scope),
            subject_id=budget.subject_id, unit=cast("Unit", budget.unit),
            currency=budget.currency, limit=plain(budget.limit),
            period=cast("Period", budget.period), warn_at=budget.warn_at, stops=budget.is_hard,
            allows_unpriced=budget.allows_unpriced, falls_back=budget.falls_back,
            fall_back_to=budget.fall_back_to, emails=budget.emails, webhook=budget.webhook,
            secret=secret, enabled=budget.is_enabled,
        )  # fmt: skip


class _Changeable(WriteSchema):
    limit: Amount | None = None
    warn_at: Percent | None = None
    stops: bool | None = Field(None, description="Refuse what does not fit; else only warn.")
    allows_unpriced: bool | None = Field(
        None, description="Of money: let calls pass whose price is unknown; they count nothing."
    )
    falls_back: bool | None = Field(
        None, description="Of money: a cheaper deployment may answer instead."
    )
    fall_back_to: Model | None = Field(None, description="Of money: the model asked then.")
    emails: Emails | None = Field(None, description="Told at the warning and at the stop.")
    webhook: Address | None = Field(
        None, description="Told the same, signed as Standard Webhooks are."
    )
    enabled: bool | None = None

    def fields(self) -> dict[str, Any]:
        """As the model calls them; what is missing or null stays as it is."""
        given = self.model_dump(exclude_none=True)
        renamed = {"stops": "is_hard", "enabled": "is_enabled"}
        return {renamed.get(name, name): value for name, value in given.items()}


class BudgetPatch(_Changeable):
    name: Name | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"limit": "2000000"}]})


class BudgetIn(_Changeable):
    """`subject_id` names one person, team, agent or token; without it the budget is for each."""

    name: Name
    scope: Scope
    subject_id: UUID | None = None
    unit: Unit
    limit: Amount
    currency: Currency = ""
    period: Period = "month"

    model_config = ConfigDict(json_schema_extra={"examples": [
        {"name": "Everybody's month", "scope": "user", "unit": "tokens", "limit": "1000000"}
    ]})  # fmt: skip

    def fields(self) -> dict[str, Any]:
        given = super().fields()
        subject = given.pop("subject_id", None)
        if subject is not None:
            column = "agent_id" if self.scope == "agent" else f"{self.scope}_id"
            given[column] = subject
        return given
