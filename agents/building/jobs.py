"""The long work of building agents, enqueued by dotted path; it may be killed and run anew."""

import logging
from uuid import UUID

from django.utils.translation import gettext_noop as _

from agents.building import gate
from events import jobs
from events.context import JobContext, JobFailed
from events.models import Job
from gateway.embedding.embedder import EmbedderUnavailable
from gateway.errors import BudgetExhausted, GatewayError
from gateway.labels import LabelUnmet

logger = logging.getLogger(__name__)

STOPPED = _("It was stopped. Begin again.")
NO_ANSWER = _("The embedding model did not answer. Try again, or ask the administrator.")


def settle_comparison(job: Job) -> None:
    """Let the publication follow the job that ended without it."""
    gate.fail(job.pk, job.reason or STOPPED)


@jobs.settled_by(settle_comparison)
def compare_versions(context: JobContext, publication_id: str) -> None:
    """Ask golden questions of what is published and of the draft; publish it, or hold it back."""
    try:
        gate.carry_out(context, UUID(publication_id))
    except (LabelUnmet, BudgetExhausted) as error:
        raise JobFailed(str(error)) from error
    except (EmbedderUnavailable, GatewayError) as error:
        if context.attempt < context.job.max_attempts:
            raise
        logger.warning("golden questions: %s: %s", type(error).__name__, error)
        raise JobFailed(NO_ANSWER) from error
