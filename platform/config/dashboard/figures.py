"""Four figures of the last seven days beside those of the seven before, and what waits now."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from chat.models import Turn
from config.dashboard.percentiles import Percentile
from events.models import Job
from gateway.models import Usage
from security.ids import first_id_at

PERIOD = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number over the last seven days and over the seven before them."""

    label: str
    value: float | None
    before: float | None = None
    unit: str = ""
    is_better_lower: bool = False
    url: str = ""

    @property
    def change(self) -> int | None:
        """The change in per cent; None without a period to compare with."""
        if not self.before or self.value is None:
            return None
        return round(100 * (self.value - self.before) / self.before)

    @property
    def is_worse(self) -> bool:
        change = self.change or 0
        return change > 0 if self.is_better_lower else change < 0


def figures(now: datetime) -> list[Figure]:
    this, last = Q(created_at__gte=now - PERIOD), Q(created_at__lt=now - PERIOD)
    answered = Q(status=Turn.Status.COMPLETED)
    turns = (
        Turn.objects.filter(pk__gte=first_id_at(now - 2 * PERIOD))
        .order_by()
        .aggregate(
            answers=Count("pk", filter=this & answered),
            answers_before=Count("pk", filter=last & answered),
            people=Count("requested_by", filter=this, distinct=True),
            people_before=Count("requested_by", filter=last, distinct=True),
        )
    )
    waits = Usage.objects.filter(created_at__gte=now - 2 * PERIOD, first_token_ms__isnull=False)
    p95 = waits.aggregate(
        this=Percentile("first_token_ms", share=0.95, filter=this),
        last=Percentile("first_token_ms", share=0.95, filter=last),
    )
    failed = Job.objects.filter(status=Job.Status.FAILED, pk__gte=first_id_at(now - 2 * PERIOD))
    jobs = failed.aggregate(this=Count("pk", filter=this), last=Count("pk", filter=last))
    return [
        Figure(_("Answers"), turns["answers"], turns["answers_before"]),
        Figure(_("Active people"), turns["people"], turns["people_before"]),
        Figure(
            _("First token, 95th percentile"), p95["this"], p95["last"], "ms", is_better_lower=True
        ),
        Figure(
            _("Failed jobs"), jobs["this"], jobs["last"], is_better_lower=True,
            url=_list_of(Job, "?status__exact=failed"),
        ),
    ]  # fmt: skip


def queue() -> dict[str, Any]:
    open_jobs = Job.objects.filter(status__in=[Job.Status.QUEUED, Job.Status.RUNNING])
    states = dict(open_jobs.order_by().values_list("status").annotate(Count("pk")))
    oldest = open_jobs.filter(status=Job.Status.QUEUED).order_by("created_at").first()
    turns = Turn.objects.filter(status__in=[Turn.Status.QUEUED, Turn.Status.RUNNING]).count()
    return {
        "waiting": states.get(Job.Status.QUEUED, 0),
        "running": states.get(Job.Status.RUNNING, 0),
        "oldest": oldest.created_at if oldest else None,
        "turns": turns,
    }


def _list_of(model: Any, query: str) -> str:
    return reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist") + query
