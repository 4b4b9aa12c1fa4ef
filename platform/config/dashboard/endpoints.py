"""What each endpoint did in a period: calls, fallbacks, failures, how long the first word took."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q

from config.dashboard.charts import REMEMBERED_SECONDS
from config.dashboard.percentiles import Percentile
from gateway.models import Usage
from security.ids import first_id_at

SHOWN = 12
NO_FAILURE = ("completed", "cancelled")


def endpoints(now: datetime, period: int) -> Sequence[dict[str, Any]]:
    """The busiest first; one query, remembered for a minute."""
    key = f"dashboard:endpoints:{period}"
    found: list[dict[str, Any]] | None = cache.get(key)
    if found is None:
        calls = Usage.objects.filter(pk__gte=first_id_at(now - timedelta(days=period)))
        counted = calls.exclude(endpoint_name="").order_by().values("endpoint_name").annotate(
            calls=Count("pk"),
            fallbacks=Count("pk", filter=Q(attempt__gt=1)),
            failed=Count("pk", filter=~Q(outcome__in=NO_FAILURE)),
            median=Percentile("first_token_ms", share=0.5),
            p95=Percentile("first_token_ms", share=0.95),
        )  # fmt: skip
        busiest: Any = counted.order_by("-calls", "endpoint_name")[:SHOWN]
        found = list(busiest)
        cache.set(key, found, REMEMBERED_SECONDS)
    return found
