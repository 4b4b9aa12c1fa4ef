"""The charts of the administration: a value a day for each series, added up by the database."""

from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Q, Sum
from django.db.models.functions import Coalesce, TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _

from agents.usage.charts import Chart, Series, Values
from chat.models import Turn
from config.dashboard.percentiles import Percentile
from events.models import Job
from gateway.models import Usage
from knowledge.models import Document
from security.ids import first_id_at

PERIODS = (14, 30, 90)  # days
REMEMBERED_SECONDS = 60


def charts(now: datetime, period: int) -> list[Chart]:
    """The last `period` days, today last; what was counted is remembered for a minute."""
    today = timezone.localtime(now).date()
    days = [today - timedelta(days=back) for back in reversed(range(period))]
    key = f"dashboard:{period}:{today}:{timezone.get_current_timezone_name()}"
    counted = cache.get(key)
    if counted is None:
        counted = _count(days)
        cache.set(key, counted, REMEMBERED_SECONDS)
    shown = [
        ("answers", _("Answers"), "bars", "count", [_("Completed"), _("Cut short or failed")]),
        ("tokens", _("Tokens"), "bars", "count", [_("Read"), _("Written")]),
        ("waits", _("Time to the first word"), "lines", "ms", [_("Median"), _("95 of 100 below")]),
        ("calls", _("Calls to models"), "bars", "count", [_("First attempts"), _("Fallbacks")]),
        ("jobs", _("Background jobs"), "bars", "count", [_("Succeeded"), _("Failed")]),
        ("storage", _("Documents stored"), "lines", "bytes", [_("Size of all files")]),
    ]
    written = [day.isoformat() for day in days]
    return [
        Chart(name, title, unit, written, list(map(Series, labels, counted[name])), kind=kind)
        for name, title, kind, unit, labels in shown
    ]


def _count(days: list[date]) -> dict[str, list[Values]]:
    """The values of every chart, series by series; only lists and numbers, for the cache."""
    tz = timezone.get_current_timezone()
    since = datetime.combine(days[0], datetime.min.time(), tz)
    usage = Usage.objects.filter(created_at__gte=since)
    turns = Turn.objects.filter(pk__gte=first_id_at(since))
    completed = Q(status=Turn.Status.COMPLETED)
    broken = Q(status__in=[Turn.Status.FAILED, Turn.Status.INTERRUPTED])
    waits = usage.filter(first_token_ms__isnull=False)
    jobs = Job.objects.filter(pk__gte=first_id_at(since))
    first, later = Q(attempt=1), Q(attempt__gt=1)
    return {
        "answers": _per_day(turns, days, Count("pk", filter=completed), Count("pk", filter=broken)),
        "tokens": _per_day(
            usage, days, Sum(Coalesce("prompt_tokens", 0)), Sum(Coalesce("completion_tokens", 0))
        ),
        "waits": _per_day(
            waits,
            days,
            Percentile("first_token_ms", share=0.5),
            Percentile("first_token_ms", share=0.95),
            missing=None,
        ),
        "calls": _per_day(usage, days, Count("pk", filter=first), Count("pk", filter=later)),
        "jobs": _per_day(
            jobs,
            days,
            Count("pk", filter=Q(status=Job.Status.SUCCEEDED)),
            Count("pk", filter=Q(status=Job.Status.FAILED)),
        ),
        "storage": [_stored(since, days)],
    }


def _per_day(rows: Any, days: list[date], *figures: Any, missing: float | None = 0) -> list[Values]:
    named = {f"figure_{n}": figure for n, figure in enumerate(figures)}
    found = rows.order_by().annotate(day=TruncDate("created_at")).values("day").annotate(**named)
    by_day = {row["day"]: row for row in found}
    return [[by_day.get(day, {}).get(name) or missing for day in days] for name in named]


def _stored(since: datetime, days: list[date]) -> Values:
    """Bytes at the end of each day, of what is still there."""
    documents = Document.objects.order_by()
    before = documents.filter(created_at__lt=since).aggregate(size=Sum("size", default=0))
    (added,) = _per_day(documents.filter(created_at__gte=since), days, Sum("size"))
    return list(accumulate([size or 0 for size in added], initial=before["size"]))[1:]
