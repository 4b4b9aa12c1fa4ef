"""For the clock: questions are asked again after any change, once it has been quiet for a while,
and on the days that an editor chose."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from knowledge.models import Collection, Document, GoldenQuestion, QualityPlan
from knowledge.quality import running
from knowledge.quality.errors import QuestionRefused
from knowledge.quality.fingerprints import cause_of, settings_of
from knowledge.queueing import WORKING

logger = logging.getLogger(__name__)

PERIODS = {
    QualityPlan.Schedule.DAILY: timedelta(days=1),
    QualityPlan.Schedule.WEEKLY: timedelta(weeks=1),
}


def sweep() -> int:
    """Begin the runs that are due; how many."""
    counted = GoldenQuestion.objects.counted().filter(collection=OuterRef("pk"))
    found = Collection.objects.filter(Exists(counted), is_shelf=False)
    return sum(_look_at(collection) for collection in found.select_related("owner").iterator())


def _look_at(collection: Collection) -> bool:
    if running.open_run(collection) is not None:
        return False
    plan, _is_new = QualityPlan.objects.get_or_create(collection=collection)
    cause = _changed(collection, plan) or _due(plan)
    if cause is None:
        return False
    try:
        running.start_run(collection, cause)
    except QuestionRefused:  # the last one was deleted meanwhile
        return False
    return True


def _changed(collection: Collection, plan: QualityPlan) -> str | None:
    """Why to ask again: something is otherwise than in the last run, and has been for a while."""
    now, settled = settings_of(collection), timezone.now()
    if plan.seen != now:
        plan.seen, plan.changed_at = now, settled
        plan.save(update_fields=["seen", "changed_at"])
    last = running.latest_run(collection)
    cause = cause_of(last.settings, now) if last else running.Cause.QUESTIONS
    if cause is None:
        return None
    since = plan.changed_at or settled
    is_quiet = settled - since >= timedelta(seconds=settings.PARLEY_GOLDEN_PAUSE_SECONDS)
    is_indexing = Document.objects.filter(collection=collection, status__in=WORKING).exists()
    return cause if is_quiet and not is_indexing and not _failed_so(collection, now) else None


def _failed_so(collection: Collection, now: dict[str, str]) -> bool:
    """What failed is not tried again every minute: only after another change, or by hand."""
    last = collection.quality_runs.first()
    return last is not None and last.state == running.State.FAILED and last.settings == now


def _due(plan: QualityPlan) -> str | None:
    """A day that was missed is made up for once."""
    period = PERIODS.get(QualityPlan.Schedule(plan.schedule))
    if period is None:
        return None
    now = timezone.now()
    if plan.next_run_at is not None and plan.next_run_at > now:
        return None
    is_first = plan.next_run_at is None
    plan.next_run_at = now + period
    plan.save(update_fields=["next_run_at"])
    return None if is_first else running.Cause.SCHEDULE


def plan_of(collection: Collection) -> QualityPlan:
    """As it is, or as it is where nobody has said anything."""
    found: QualityPlan | None = QualityPlan.objects.filter(collection=collection).first()
    return found or QualityPlan(collection=collection)


def set_plan(collection: Collection, *, schedule: str, asks_answers: bool) -> QualityPlan:
    """From the next period on."""
    plan, _is_new = QualityPlan.objects.get_or_create(collection=collection)
    if plan.schedule != schedule:
        period = PERIODS.get(QualityPlan.Schedule(schedule))
        plan.next_run_at = timezone.now() + period if period else None
    plan.schedule, plan.asks_answers = schedule, asks_answers
    plan.save()
    return plan
