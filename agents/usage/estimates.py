"""What was thought that prompts cost in tokens, beside what servers counted."""

from dataclasses import dataclass

from django.db.models import Sum

from agents.usage.audience import Whose
from agents.usage.spans import Span
from gateway.metering.models import UsageDay


@dataclass(frozen=True, slots=True)
class Compared:
    """Of the prompts that were both estimated and counted."""

    model: str
    endpoint: str
    estimated: int
    counted: int

    @property
    def off(self) -> float:
        """0.1: a tenth too much; negative: too little."""
        return self.estimated / self.counted - 1


def compare_estimates(whose: Whose, span: Span) -> list[Compared]:
    """By model and endpoint, the most tokens first."""
    rows = whose.rows(UsageDay.objects.filter(at__gte=span.first, at__lte=span.last))
    sums = rows.order_by().values("model_name", "endpoint_name").annotate(
        estimated=Sum("estimated_tokens"), counted=Sum("compared_tokens")
    )  # fmt: skip
    found = [
        Compared(row["model_name"], row["endpoint_name"], row["estimated"], row["counted"])
        for row in sums.filter(counted__gt=0)
    ]
    return sorted(found, key=lambda one: (-one.counted, one.model, one.endpoint))
