"""What servers did not have to read again, and the money that this saved, for each agent."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, DecimalField, ExpressionWrapper, F, Q, Sum
from django.db.models.functions import Coalesce

from gateway.metering.models import Usage
from gateway.metering.prices import MILLION

_MONEY = DecimalField(max_digits=30, decimal_places=12)


@dataclass(frozen=True, slots=True)
class CachedPrompts:
    """Of an agent in one currency. `saved` can be negative where writing into a cache costs more
    than was read from it; `unpriced` calls read from a cache whose price is not known."""

    agent_id: UUID | None
    currency: str
    calls: int
    prompt_tokens: int
    cached_tokens: int
    saved: Decimal
    unpriced: int

    @property
    def share(self) -> float:
        """Of the tokens of prompts."""
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens else 0.0


def cached_prompts_since(moment: datetime) -> list[CachedPrompts]:
    """By the prices of each call's time, the most tokens first. Servers that count nothing are left
    out: what they remember is not known."""
    read = F("cached_tokens") * (F("prompt_price") - F("cached_price"))
    written = F("cache_write_tokens") * (F("prompt_price") - F("cache_write_price"))
    rows = (
        Usage.objects.filter(created_at__gte=moment, cached_tokens__isnull=False)
        .values("agent_id", "currency")
        .annotate(
            calls=Count("id"),
            prompt=Coalesce(Sum("prompt_tokens"), 0),
            cached=Sum("cached_tokens"),
            read=Sum(ExpressionWrapper(read, output_field=_MONEY)),
            written=Sum(ExpressionWrapper(written, output_field=_MONEY)),
            unpriced=Count("id", filter=Q(cached_tokens__gt=0, prompt_price=None)),
        )
        .order_by("-prompt", "agent_id", "currency")
    )
    return [
        CachedPrompts(
            row["agent_id"], row["currency"], row["calls"], row["prompt"], row["cached"],
            ((row["read"] or Decimal()) + (row["written"] or Decimal())) / MILLION,
            row["unpriced"],
        )
        for row in rows
    ]  # fmt: skip
