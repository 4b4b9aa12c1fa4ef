"""What a job that indexes a document obeys besides its own: the row of the document.

Somebody who pauses, stops or replaces a document writes that row and nothing else. Whichever job
works on it finds out at its next look, and last while it holds the lock under which it would swap.
"""

import time
from uuid import UUID

from django.db import connection

from events.context import JobContext
from knowledge.errors import Superseded
from knowledge.models import Document

LOOK_EVERY_SECONDS = 0.5


class Attended:
    """A job's progress and checks, with an eye on its document.

    Raises `Superseded` when the document is another job's, or is to wait.
    """

    def __init__(self, context: JobContext, document_id: UUID) -> None:
        self._context = context
        self._document_id = document_id
        self._looked = 0.0

    def progress(self, stage: str, done: int, total: int) -> None:
        self._context.progress(stage, done, total)
        if done < total and time.monotonic() - self._looked > LOOK_EVERY_SECONDS:
            self._look()

    def check(self) -> None:
        self._context.check()
        self._look()

    def _look(self) -> None:
        self._looked = time.monotonic()
        with connection.cursor() as cursor:
            cursor.execute(
                "select job_id, status from knowledge_document where id = %s", [self._document_id]
            )
            row = cursor.fetchone()
        if row is None:
            return  # whoever saves finds that out
        job_id, status = row
        if job_id != self._context.job.pk or status == Document.Status.PAUSED:
            raise Superseded(str(self._document_id))
