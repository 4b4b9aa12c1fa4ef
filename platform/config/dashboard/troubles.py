"""What went wrong of late, newest first, each with the page where it can be looked into."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from chat.models import Turn
from config.dashboard.figures import PERIOD
from events.models import Job
from events.task_names import title_of
from security.ids import first_id_at

SHOWN = 8


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that went wrong, and where to look at it."""

    at: datetime
    what: str
    why: str
    url: str


def troubles(now: datetime) -> list[Trouble]:
    since = first_id_at(now - PERIOD)
    jobs = Job.objects.filter(status=Job.Status.FAILED, pk__gte=since)
    turns = Turn.objects.filter(
        status__in=[Turn.Status.FAILED, Turn.Status.INTERRUPTED], pk__gte=since
    )
    found = [
        *(_failed_job(job) for job in jobs.order_by("-pk")[:SHOWN]),
        *(_failed_turn(turn) for turn in turns.order_by("-pk")[:SHOWN]),
    ]
    return sorted(found, key=lambda trouble: trouble.at, reverse=True)[:SHOWN]


def _failed_job(job: Job) -> Trouble:
    why = _(job.reason) if job.reason else ""
    return Trouble(job.finished_at or job.created_at, title_of(job.task), why, _change_of(job))


def _failed_turn(turn: Turn) -> Trouble:
    error = turn.error or {}
    why = str(error.get("detail") or error.get("title") or turn.get_status_display())
    return Trouble(turn.created_at, _("Answer"), why, _change_of(turn))


def _change_of(row: Any) -> str:
    return reverse(f"admin:{row._meta.label_lower.replace('.', '_')}_change", args=[row.pk])
