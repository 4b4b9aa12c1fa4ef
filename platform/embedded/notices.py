"""What rq keeps of a job, read as what it is: somebody's word in Redis, nothing to be trusted.

rq would call any function that a job names, itself or as a callback, and post its end to any
address; and its worker would end at a field it cannot read, again and again. The record of a job is
its row in Postgres, from where it is rung again, so whatever is wrong here is dropped.
"""

import logging
from typing import Any

from django.conf import settings
from rq.exceptions import NoSuchJobError
from rq.job import Job

log = logging.getLogger(__name__)

# All that rq writes for a job of ours; of these none names a function but `data`.
FIELDS = frozenset(
    {
        b"data", b"created_at", b"origin", b"description", b"status", b"timeout", b"result_ttl",
        b"failure_ttl", b"enqueued_at", b"started_at", b"ended_at", b"last_heartbeat",
        b"worker_name",
    }
)  # fmt: skip


class Notice(Job):
    """An rq job that calls one of `settings.PARLEY_RQ_CALLS`, or is no job at all."""

    def restore(self, raw_data: dict[bytes, bytes]) -> Any:
        """Raises NoSuchJobError, which rq passes over everywhere, for what is not ours."""
        try:
            restored = super().restore({k: v for k, v in raw_data.items() if k in FIELDS})
            if self.func_name in settings.PARLEY_RQ_CALLS:
                return restored
            problem = "it calls something else"
        except NoSuchJobError:
            raise
        except Exception as error:  # noqa: BLE001 - each field has a failure of its own
            problem = f"it cannot be read: {type(error).__name__}"
        log.warning("job %r in Redis is dropped: %s", self.id, problem)
        self.connection.delete(self.key)
        raise NoSuchJobError(problem)
