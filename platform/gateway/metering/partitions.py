"""The months of usage: made ahead, and dropped when they are not kept any longer."""

from django.conf import settings
from django.utils import timezone

from gateway.metering.rollups import roll_up
from security.months import MonthlyTable

USAGE = MonthlyTable("gateway_usage", lock=7_402_002)


def keep() -> None:
    """For the clock: months ahead are there; those beyond PARLEY_USAGE_MONTHS go, whole, after they
    were added up. What they added up to stays."""
    USAGE.ensure_ahead()
    kept = settings.PARLEY_USAGE_MONTHS
    if not kept:
        return
    now = timezone.now()
    months = now.year * 12 + now.month - 1 - kept
    roll_up()
    USAGE.drop_before(now.replace(year=months // 12, month=months % 12 + 1, day=1))
