"""The job that has tokens taken back whose account is gone."""

import asyncio
import logging
from uuid import UUID

import orjson

from agents.mcp_client.models import McpRevocation
from agents.mcp_client.oauth.accounts import revoked
from agents.mcp_client.oauth.exchange import Us
from agents.mcp_client.sealing import revocation_context
from events.context import JobContext
from events.jobs import settled_by
from events.models import Job
from security.secrets import SecretUnreadable, open_

log = logging.getLogger(__name__)


def give_up(job: Job) -> None:
    """They are good until they end by themselves; nobody here has them."""
    if job.subject_id is None:
        return
    for row in McpRevocation.objects.filter(pk=job.subject_id):
        log.warning("tokens at %s were not taken back: it was asked in vain", row.server_name)
        row.delete()


@settled_by(give_up)
def take_back(_context: JobContext, revocation_id: str) -> None:
    """Twice is once, for the server too. Raises ServerTrouble, to be tried again."""
    row = McpRevocation.objects.filter(pk=UUID(revocation_id)).first()
    if row is None:
        return
    try:
        kept = orjson.loads(open_(bytes(row.secret or b""), revocation_context(row)))
    except (SecretUnreadable, IndexError):
        log.warning("tokens at %s cannot be read any more, and were not taken back", row)
    else:
        asyncio.run(revoked(row.server_name, Us(*kept["us"]), kept))
    row.delete()
