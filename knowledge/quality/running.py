"""Runs: begun by somebody or something, carried out by a job, kept with each question's result."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from events import jobs
from events.models import Job
from knowledge.models import (
    Collection,
    EmbeddingVersion,
    QualityPlan,
    QualityResult,
    QualityRun,
)
from knowledge.quality.asking import Asked, ask_all, asker_of, counted_of
from knowledge.quality.comparing import Change, compare
from knowledge.quality.errors import QuestionRefused
from knowledge.quality.fingerprints import settings_of, ways_in, ways_of
from knowledge.quality.judging import Judged, figures_of
from knowledge.switches import Switch
from knowledge.versions import find_active_version

ASK = "knowledge.quality.jobs.ask_questions"
MOST_RUNS = 200  # kept of a collection, the newest
Cause = QualityRun.Cause
State = QualityRun.State
OPEN = (State.WAITING, State.RUNNING)
UNRANKED = "unranked"  # among the figures: questions that the reranker had no order for


def start_run(
    collection: Collection,
    cause: str = Cause.HAND,
    by: User | None = None,
    *,
    asks_answers: bool | None = None,
    version: EmbeddingVersion | None = None,
    ways: frozenset[Switch] | None = None,
) -> QualityRun:
    """Ask the collection's questions in the background; one that waits already is that one.

    Raises QuestionRefused where there is nothing to ask.
    """
    with transaction.atomic():
        Collection.objects.select_for_update(no_key=True).get(pk=collection.pk)
        waiting = QualityRun.objects.filter(collection=collection, state=State.WAITING)
        alike = waiting.filter(version=version or find_active_version(), settings=_wish(ways))
        same: QualityRun | None = alike.first()
        if same is not None:
            return same
        run = make_run(collection, cause, by, asks_answers=asks_answers, version=version, ways=ways)
        job = jobs.enqueue(ASK, {"run_id": str(run.pk)}, by.pk if by else None, collection.pk)
        run.job_id = job.pk
        run.save(update_fields=["job_id"])
    return run


def make_run(
    collection: Collection,
    cause: str,
    by: User | None = None,
    *,
    asks_answers: bool | None = None,
    version: EmbeddingVersion | None = None,
    ways: frozenset[Switch] | None = None,
) -> QualityRun:
    """The row alone, for who carries it out at once. With `ways` it is a run before a change: its
    questions are understood in these, and not as the collection says."""
    if not counted_of(collection):
        raise QuestionRefused(
            _("There are no accepted questions yet that say what they are to find.")
        )
    if asks_answers is None:
        plan = QualityPlan.objects.filter(collection=collection).first()
        asks_answers = bool(plan and plan.asks_answers)
    made: QualityRun = QualityRun.objects.create(
        collection=collection,
        cause=cause,
        asked_by=by,
        asks_answers=asks_answers,
        version=version or find_active_version(),
        settings=_wish(ways),
    )
    return made


def _wish(ways: frozenset[Switch] | None) -> dict[str, str]:
    """What is known of a run before it is carried out."""
    return {} if ways is None else {"ways": " ".join(sorted(ways))}


def carry_out(
    run: QualityRun, report: Callable[[int, int], None] = lambda _done, _total: None
) -> QualityRun:
    """Ask everything, then keep results and figures together; done twice, it is the same.

    Raises what search raises, and NobodyReads.
    """
    collection = run.collection
    # As it is before the first question: what changes meanwhile is a reason for another run.
    ways = ways_in(run.settings) if run.cause == Cause.GATE else ways_of(collection)
    run.settings = settings_of(collection, run.version, ways)
    QualityRun.objects.filter(pk=run.pk).update(state=State.RUNNING, settings=run.settings)
    user = asker_of(collection, run.asked_by)
    questions = counted_of(collection)
    asked = list(
        ask_all(
            collection, questions, user,
            version=run.version, ways=ways, asks_answers=run.asks_answers, report=report,
        )
    )  # fmt: skip
    with transaction.atomic():
        _keep(run, asked)
        _forget_older(collection)
    return run


def _keep(run: QualityRun, asked: list[Asked]) -> None:
    run.results.all().delete()
    QualityResult.objects.bulk_create(
        QualityResult(
            run=run,
            question=one.question,
            rank=one.judged.rank,
            ndcg=one.judged.ndcg,
            is_quiet=one.judged.is_quiet,
            supported=one.judged.supported,
            found=one.found,
            took_ms=one.took_ms,
        )
        for one in asked
    )
    run.before = find_before(run)
    judged = {one.question.pk: one.judged for one in asked}
    figures = figures_of(list(judged.values()), [one.took_ms for one in asked]).as_json()
    if troubled := sum(bool(one.trouble) for one in asked):
        figures[UNRANKED] = troubled
    if run.before is not None:
        figures["change"] = {
            name: change.as_json()
            for name, change in compare(results_of(run.before), judged).items()
        }
    run.figures, run.questions = figures, len(asked)
    run.state, run.finished_at = State.DONE, timezone.now()
    run.save()


def find_before(run: QualityRun) -> QualityRun | None:
    """The last one before it that search was like for everybody."""
    done = QualityRun.objects.filter(collection=run.collection_id, state=State.DONE)
    found: QualityRun | None = done.exclude(cause=Cause.GATE).exclude(pk=run.pk).first()
    return found


def results_of(run: QualityRun) -> dict[UUID, Judged]:
    rows = run.results.values_list("question_id", "rank", "ndcg", "is_quiet", "supported")
    return {row[0]: Judged(*row[1:]) for row in rows}


def changes_of(run: QualityRun) -> dict[str, Change]:
    """Against the run before it."""
    found: dict[str, Any] = run.figures.get("change", {})
    return {name: Change.parse(change) for name, change in found.items()}


def fail_run(run: QualityRun, reason: str) -> None:
    QualityRun.objects.filter(pk=run.pk, state__in=OPEN).update(
        state=State.FAILED, reason=reason, finished_at=timezone.now()
    )


def latest_run(collection: Collection) -> QualityRun | None:
    """The last that is done, of the version that everybody searches."""
    done = QualityRun.objects.filter(collection=collection, state=State.DONE)
    found: QualityRun | None = done.exclude(cause=Cause.GATE).first()
    return found


def open_run(collection: Collection) -> QualityRun | None:
    found: QualityRun | None = QualityRun.objects.filter(
        collection=collection, state__in=OPEN
    ).first()
    return found


def job_of(run: QualityRun) -> Job | None:
    return Job.objects.filter(pk=run.job_id).first() if run.job_id else None


def _forget_older(collection: Collection) -> None:
    rows = QualityRun.objects.filter(collection=collection).order_by("-pk")
    kept = list(rows.values_list("pk", flat=True)[:MOST_RUNS])
    rows.exclude(pk__in=kept).exclude(state__in=OPEN).delete()
