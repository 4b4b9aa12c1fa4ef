"""What the first page of the administration shows: how it goes, and what needs a person."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Aggregate, Count, FloatField, Q, Sum
from django.db.models.functions import Coalesce, TruncDate
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from chat.models import Turn
from events.models import Job
from gateway.models import Usage

PERIOD = timedelta(days=7)
CHART_DAYS = 14
ERRORS_SHOWN = 8


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


@dataclass(frozen=True, slots=True)
class Bar:
    """A day of a chart; geometry in per cent of its width and height."""

    day: date
    value: int
    left: float
    width: float
    height: float

    @property
    def top(self) -> float:
        return round(100 - self.height, 2)


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    bars: list[Bar]

    @property
    def is_empty(self) -> bool:
        return not any(bar.value for bar in self.bars)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that went wrong, and where to look at it."""

    at: datetime
    what: str
    why: str
    url: str


class P95(Aggregate):
    template = "percentile_cont(0.95) within group (order by %(expressions)s)"
    name = "p95"
    output_field = FloatField()


def dashboard() -> dict[str, Any]:
    """Everything the page needs, in eight queries whatever the size."""
    now = timezone.now()
    return {
        "figures": _figures(now),
        "charts": [
            Chart(_("Answers per day"), _bars(now, _answers_per_day(now))),
            Chart(_("Tokens per day"), _bars(now, _tokens_per_day(now))),
        ],
        "queue": _queue(),
        "troubles": _troubles(now),
    }


def _figures(now: datetime) -> list[Figure]:
    this, last = Q(created_at__gte=now - PERIOD), Q(created_at__lt=now - PERIOD)
    answered = Q(status=Turn.Status.COMPLETED)
    turns = Turn.objects.filter(created_at__gte=now - 2 * PERIOD).aggregate(
        answers=Count("pk", filter=this & answered),
        answers_before=Count("pk", filter=last & answered),
        people=Count("requested_by", filter=this, distinct=True),
        people_before=Count("requested_by", filter=last, distinct=True),
    )
    waits = Usage.objects.filter(created_at__gte=now - 2 * PERIOD, first_token_ms__isnull=False)
    p95 = waits.aggregate(
        this=P95("first_token_ms", filter=this), last=P95("first_token_ms", filter=last)
    )
    jobs = Job.objects.filter(status=Job.Status.FAILED, created_at__gte=now - 2 * PERIOD).aggregate(
        this=Count("pk", filter=this), last=Count("pk", filter=last)
    )
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


def _answers_per_day(now: datetime) -> dict[date, int]:
    answered = Turn.objects.filter(status=Turn.Status.COMPLETED)
    return _per_day(answered, now, Count("pk"))


def _tokens_per_day(now: datetime) -> dict[date, int]:
    tokens = Sum(Coalesce("prompt_tokens", 0) + Coalesce("completion_tokens", 0))
    return _per_day(Usage.objects.order_by(), now, tokens)


def _per_day(rows: Any, now: datetime, figure: Any) -> dict[date, int]:
    since = timezone.localtime(now).date() - timedelta(days=CHART_DAYS)
    recent = rows.filter(created_at__date__gt=since).order_by()
    found = recent.annotate(day=TruncDate("created_at")).values("day").annotate(figure=figure)
    return {row["day"]: row["figure"] or 0 for row in found}


def _bars(now: datetime, values: dict[date, int]) -> list[Bar]:
    today = timezone.localtime(now).date()
    days = [today - timedelta(days=back) for back in reversed(range(CHART_DAYS))]
    highest = max([values.get(day, 0) for day in days], default=0) or 1
    step = 100 / CHART_DAYS
    return [
        Bar(
            day,
            values.get(day, 0),
            left=round(n * step + step * 0.14, 2),
            width=round(step * 0.72, 2),
            height=round(100 * values.get(day, 0) / highest, 2),
        )
        for n, day in enumerate(days)
    ]


def _queue() -> dict[str, Any]:
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


def _troubles(now: datetime) -> list[Trouble]:
    since = now - PERIOD
    jobs = Job.objects.filter(status=Job.Status.FAILED, created_at__gte=since)
    turns = Turn.objects.filter(
        status__in=[Turn.Status.FAILED, Turn.Status.INTERRUPTED], created_at__gte=since
    )
    found = [
        *(_failed_job(job) for job in jobs.order_by("-created_at")[:ERRORS_SHOWN]),
        *(_failed_turn(turn) for turn in turns.order_by("-created_at")[:ERRORS_SHOWN]),
    ]
    return sorted(found, key=lambda trouble: trouble.at, reverse=True)[:ERRORS_SHOWN]


def _failed_job(job: Job) -> Trouble:
    why = _(job.reason) if job.reason else ""
    return Trouble(job.finished_at or job.created_at, job.task, why, _change_of(job))


def _failed_turn(turn: Turn) -> Trouble:
    error = turn.error or {}
    why = str(error.get("detail") or error.get("title") or turn.get_status_display())
    return Trouble(turn.created_at, _("Answer"), why, _change_of(turn))


def _list_of(model: Any, query: str) -> str:
    return reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_changelist") + query


def _change_of(row: Any) -> str:
    return reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk])
