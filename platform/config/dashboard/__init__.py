"""The first page of the administration: how it goes, and what needs a person."""

from typing import Any

from django.utils import timezone

from config.dashboard.caches import cache_figures
from config.dashboard.charts import PERIODS, charts
from config.dashboard.endpoints import endpoints
from config.dashboard.figures import figures, queue
from config.dashboard.troubles import troubles

__all__ = ["dashboard"]


def dashboard(days: str = "") -> dict[str, Any]:
    """Everything the page needs, in a constant number of queries; the charts go back `days`."""
    now = timezone.now()
    period = int(days) if days in map(str, PERIODS) else PERIODS[0]
    return {
        "figures": figures(now),
        "periods": PERIODS,
        "period": period,
        "charts": charts(now, period),
        "endpoints": endpoints(now, period),
        "queue": queue(),
        "caches": cache_figures(now),
        "troubles": troubles(now),
    }
