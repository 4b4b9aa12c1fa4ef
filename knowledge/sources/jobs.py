"""Visits and removals in the background, enqueued by dotted path."""

import logging
from contextlib import closing
from uuid import UUID

from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError
from django.db.models.functions import Now
from django.utils.translation import gettext_noop as _

from events import jobs
from events.context import JobContext, JobFailed
from events.models import Job
from knowledge.models import Source, SyncRun
from knowledge.sources import kinds, tombstones
from knowledge.sources.connector import SourceUnusable
from knowledge.sources.engine import Paused, Sync
from knowledge.sources.handing import remove_some
from knowledge.sources.preview import Preview
from security.outbound.errors import OutboundError

log = logging.getLogger(__name__)
REMOVED_AT_ONCE = 20
STOPPED = _("The sync was stopped. Start it again.")


def settle_run(job: Job) -> None:
    """Let the run follow the job that ended without it."""
    is_cancelled = job.status == Job.Status.CANCELLED
    status = SyncRun.Status.CANCELLED if is_cancelled else SyncRun.Status.FAILED
    run = SyncRun.objects.filter(job_id=job.pk, status__in=SyncRun.OPEN)
    run.update(status=status, reason=job.reason or ("" if is_cancelled else STOPPED),
               finished_at=Now())  # fmt: skip


@jobs.settled_by(settle_run)
def run_sync(
    context: JobContext, run_id: str, *, is_full: bool = False, with_deleted: bool = False
) -> None:
    """One visit, or what is left of one that was interrupted."""
    run = SyncRun.objects.select_related("source__collection", "source__added_by").filter(
        pk=run_id, job_id=context.job.pk, status__in=SyncRun.OPEN
    ).first()  # fmt: skip
    if run is None or run.source.is_leaving:
        return
    opened = SyncRun.objects.filter(pk=run.pk, status__in=SyncRun.OPEN)
    opened.filter(started_at=None).update(started_at=Now())
    opened.update(status=SyncRun.Status.RUNNING)
    try:
        with closing(kinds.open_source(run.source)) as connector:
            if run.is_preview:
                Preview(run, run.source, connector, context).go()
            else:
                Sync(
                    run, run.source, connector, context, is_full=is_full, with_deleted=with_deleted
                ).go()
                SyncRun.objects.filter(pk=run.pk).update(reason=connector.remark)
        if not run.is_preview:
            tombstones.purge(run.source)
    except (ObjectDoesNotExist, IntegrityError):
        if Source.objects.filter(pk=run.source_id, is_leaving=False).exists():
            raise
        return  # it was deleted meanwhile, or its collection was
    except Paused:
        opened.update(status=SyncRun.Status.PAUSED)
    except (SourceUnusable, OutboundError) as error:
        raise JobFailed(str(error)) from error
    else:
        opened.update(status=SyncRun.Status.SUCCEEDED, finished_at=Now())


def remove_source(context: JobContext, source_id: str) -> None:
    """Remove what is left of a source that was deleted: its documents, then itself."""
    source = Source.objects.filter(pk=UUID(source_id), is_leaving=True).first()
    if source is None:
        return
    done = 0
    while count := remove_some(source, REMOVED_AT_ONCE):
        done += count
        context.progress("remove", done, done + 1)
    source.delete()
