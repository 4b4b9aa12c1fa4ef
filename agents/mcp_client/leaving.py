"""Accounts that go with their person, their server or its address: their tokens are taken back.

They are gone from here in the caller's transaction; what is left is a row that only a job opens,
which says so to the server (RFC 7009).
"""

import orjson
from django.db.models import QuerySet

from agents.mcp_client.models import McpAccount, McpRevocation
from agents.mcp_client.sealing import account_context, client_secret_of, revocation_context
from events import jobs
from security.secrets import SecretUnreadable, open_, seal

TAKE_BACK = "agents.mcp_client.oauth.revoking.take_back"
MOST_ATTEMPTS = 12  # about twenty minutes in which the server may be away
NEEDED = ("revocation_endpoint", "access", "refresh")


def forget_accounts(accounts: QuerySet[McpAccount]) -> None:
    """In the caller's transaction, and before their server is written: it knows the tokens by the
    client that it has had. A token that is renewed meanwhile is taken back as the new one."""
    rows = accounts.select_related("server").select_for_update(of=("self",)).order_by("pk")
    found = list(rows)
    for account in found:
        _take_back_later(account)
    McpAccount.objects.filter(pk__in=[account.pk for account in found]).delete()


def _take_back_later(account: McpAccount) -> None:
    server = account.server
    try:
        kept = orjson.loads(open_(bytes(account.secret or b""), account_context(account)))
    except (SecretUnreadable, IndexError):
        return
    if not kept.get("revocation_endpoint"):
        return
    is_same = server.issuer in ("", kept.get("issuer"))
    us = (server.client_id, client_secret_of(server)) if is_same else ("", "")
    told = {name: kept.get(name, "") for name in NEEDED} | {"us": us}
    row = McpRevocation(server_name=server.name)
    row.secret = seal(orjson.dumps(told).decode(), revocation_context(row))
    row.save(force_insert=True)
    asked = {"revocation_id": str(row.pk)}
    jobs.enqueue(TAKE_BACK, asked, subject_id=row.pk, max_attempts=MOST_ATTEMPTS)
