"""How long a temporary conversation lives when nobody ends it."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

LEFT = timedelta(seconds=30)  # after its last page is closed: as long as a slow reload may take


def ends_from_now() -> datetime:
    """When a conversation that is used this moment ends by itself."""
    return timezone.now() + timedelta(hours=settings.PARLEY_TEMPORARY_HOURS)
