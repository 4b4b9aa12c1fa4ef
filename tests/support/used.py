"""Usage as the roll-ups have it, for pages that read them."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from gateway.models import UsageDay, UsageHour

USUAL: dict[str, Any] = {
    "model_name": "glm-4",
    "endpoint_name": "here",
    "purpose": "chat",
    "currency": "USD",
    "calls": 1,
    "prompt_tokens": 1000,
    "completion_tokens": 100,
    "cost": Decimal("0.01"),
}


def used(at: datetime | None = None, **values: Any) -> None:
    """Calls of one hour, and of its day."""
    at = timezone.now() if at is None else at
    values = USUAL | values
    UsageHour.objects.create(at=at.replace(minute=0, second=0, microsecond=0), **values)
    UsageDay.objects.create(at=at.astimezone(UTC).date(), **values)
