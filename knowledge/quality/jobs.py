"""The long work with golden questions, enqueued by dotted path; each may be killed and run anew."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.utils.translation import gettext_noop as _

from events import jobs
from events.context import JobContext, JobFailed
from events.models import Job
from gateway.embedding.embedder import EmbedderUnavailable
from gateway.errors import BudgetExhausted, GatewayError
from gateway.labels import LabelUnmet
from knowledge.bm25 import Shape
from knowledge.errors import DocumentGone
from knowledge.models import Collection, QualityRun, QualityTuning
from knowledge.quality import proposing, running, tuning
from knowledge.quality.asking import NobodyReads
from knowledge.quality.errors import QuestionRefused
from knowledge.reweighing import reweigh_collection

logger = logging.getLogger(__name__)

STOPPED = _("It was stopped. Begin again.")
NO_READER = _("Nobody who is active may read this collection.")
NO_ANSWER = _("The embedding model did not answer. Try again, or ask the administrator.")


def settle_run(job: Job) -> None:
    """Let the run follow the job that ended without it."""
    run = QualityRun.objects.filter(job_id=job.pk).first()
    if run is not None:
        running.fail_run(run, job.reason or STOPPED)


def settle_tuning(job: Job) -> None:
    tuning.fail_tuning(job.pk, job.reason or STOPPED)


@jobs.settled_by(settle_run)
def ask_questions(context: JobContext, run_id: str) -> None:
    """Carry out the run; one that has ended already stays as it is."""
    run = QualityRun.objects.filter(pk=UUID(run_id), state__in=running.OPEN).first()
    if run is None:
        return
    with _told(context):
        running.carry_out(run, lambda done, total: context.progress("ask", done, total))


@jobs.settled_by(settle_tuning)
def tune_search(context: JobContext, tuning_id: str) -> None:
    """Look for better weights; nothing is applied."""
    found = QualityTuning.objects.filter(pk=UUID(tuning_id), state__in=tuning.OPEN).first()
    if found is None:
        return
    with _told(context):
        tuning.carry_out(found, lambda done, total: context.progress("tune", done, total))


def propose_questions(context: JobContext, collection_id: str, count: int, owner: str) -> None:
    """Let a model write questions about passages; they wait for a person."""
    with _told(context):
        proposing.propose(
            UUID(collection_id), UUID(owner), count,
            lambda done, total: context.progress("propose", done, total),
        )  # fmt: skip


def weigh_anew(context: JobContext, collection_id: str, k1: float, b: float) -> None:
    """Weigh a collection's passages by other k1 and b, in one transaction."""
    try:
        whole = UUID(collection_id)
        parts = Collection.parts_apart.filter(part_of=whole).values_list("pk", flat=True)
        spaces = [whole, *parts]
        done = sum(reweigh_collection(pk, context.check, Shape(k1, b)) for pk in spaces)
    except DocumentGone:
        return
    context.progress("load", done, done)


@contextmanager
def _told(context: JobContext) -> Iterator[None]:
    """Why it does not work, in words; what may pass is tried again first."""
    try:
        yield
    except (QuestionRefused, LabelUnmet, BudgetExhausted) as error:
        raise JobFailed(str(error)) from error
    except NobodyReads as error:
        raise JobFailed(NO_READER) from error
    except (EmbedderUnavailable, GatewayError) as error:
        if context.attempt < context.job.max_attempts:
            raise
        logger.warning("golden questions: %s: %s", type(error).__name__, error)
        raise JobFailed(NO_ANSWER) from error
