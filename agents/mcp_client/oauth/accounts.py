"""People's accounts at servers: connected, their tokens sealed, and renewed in time."""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from agents.approvals.signing_in import signed_in
from agents.mcp_client.connecting import MOST_BYTES, server_policy, trouble_of
from agents.mcp_client.models import McpAccount, McpServer
from agents.mcp_client.oauth.discovery import discover
from agents.mcp_client.oauth.exchange import (
    Tokens,
    Us,
    address_to_ask,
    new_verifier,
    redeem,
    register,
    revoke,
)
from agents.mcp_client.sealing import account_context, client_secret_of, secret_context
from agents.mcp_client.types import NOT_BEGUN, ServerTrouble
from observability.db import run_sync
from security import audit
from security.acts import Act
from security.outbound.streaming import AsyncGuardedTransport, StreamingClient, streaming_client
from security.secrets import SecretUnreadable, open_, seal

SECONDS = 20.0
AHEAD = timedelta(seconds=90)  # before its end a token is renewed
CLAIM = timedelta(seconds=30)
PENDING_SECONDS = 600  # that a person may take to agree
LOOK_SECONDS = 0.1
KEPT = ("token_endpoint", "revocation_endpoint", "resource", "issuer")
Pending = dict[str, Any]  # what is kept in the session of whoever began


@asynccontextmanager
async def _client(name: str) -> AsyncIterator[StreamingClient]:
    """Raises ServerTrouble for whatever comes of it."""
    guarded = AsyncGuardedTransport(server_policy(), MOST_BYTES)
    try:
        async with asyncio.timeout(SECONDS), streaming_client(guarded, SECONDS, {}) as http:
            yield http
    except ServerTrouble:
        raise
    except Exception as error:
        trouble = trouble_of(error, name, 0)
        if trouble is None:
            raise
        raise trouble from error


def begin(server: McpServer, redirect_uri: str, by: User | None = None) -> tuple[str, Pending]:
    """Where to send the person, and what must be in their session when they come back; without a
    session it is sealed for them (`by`) into what comes back. Waits for the network; raises
    ServerTrouble."""
    return asyncio.run(_begin(server, redirect_uri, by))


def begun_elsewhere(user: User, state: str) -> Pending | None:
    """What this person began without a session, and nobody else."""
    try:
        sealed = base64.urlsafe_b64decode(state.encode())
        pending: Pending = orjson.loads(open_(sealed, _beginning(user)))
    except (ValueError, IndexError, SecretUnreadable):
        return None
    return pending | {"state": state}


def _beginning(user: User) -> str:
    return f"mcp_beginning:{user.pk}"


async def _begin(server: McpServer, redirect_uri: str, by: User | None) -> tuple[str, Pending]:
    async with _client(server.name) as http:
        found = await discover(server.url, http)
        us = await run_sync(_known_as, server, found.issuer)
        if us is None:
            us = await register(found, redirect_uri, http)
            us = await run_sync(_keep_registration, server, found.issuer, us)
    state, verifier = secrets.token_urlsafe(32), new_verifier()
    pending = asdict(found) | {
        "server": str(server.pk), "url": server.url, "state": state, "verifier": verifier,
        "redirect_uri": redirect_uri, "until": timezone.now().timestamp() + PENDING_SECONDS,
    }  # fmt: skip
    if by is not None:
        sealed = seal(orjson.dumps(pending).decode(), _beginning(by))
        state = pending["state"] = base64.urlsafe_b64encode(sealed).decode()
    return address_to_ask(found, us, redirect_uri, state, verifier), pending


def finish(user: User, server: McpServer, pending: Pending, said: dict[str, str]) -> None:
    """What the authorization server sent back with the person becomes tokens of theirs; raises
    ServerTrouble. `pending` is used up, whatever comes of it."""
    is_ours = secrets.compare_digest(said.get("state", "").encode(), pending["state"].encode())
    is_in_time = timezone.now().timestamp() < pending["until"]
    iss = said.get("iss", "")
    is_theirs = iss == pending["issuer"] if iss or pending["says_issuer"] else True
    if not (is_ours and is_in_time and is_theirs) or server.url != pending["url"]:
        raise ServerTrouble(str(NOT_BEGUN))
    if not said.get("code"):
        raise ServerTrouble(_("%(server)s refused.") % {"server": server.name})
    us = _known_as(server, pending["issuer"])
    if us is None:
        raise ServerTrouble(str(NOT_BEGUN))
    tokens = asyncio.run(_redeemed(server, us, pending, said["code"]))
    _keep(user, server, tokens, pending)


async def _redeemed(server: McpServer, us: Us, pending: Pending, code: str) -> Tokens:
    asked = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": pending["redirect_uri"],
        "code_verifier": pending["verifier"],
        "resource": pending["resource"],
    }
    async with _client(server.name) as http:
        return await redeem(pending["token_endpoint"], us, asked, http)


@transaction.atomic
def _keep(user: User, server: McpServer, tokens: Tokens, pending: Pending) -> None:
    accounts = McpAccount.objects.select_for_update()
    account, _is_new = accounts.get_or_create(server=server, user=user)
    kept = {part: pending[part] for part in KEPT}
    _store(account, tokens, {**kept, "origin": origin_of(server)})
    audit.record(Act.MCP_CONNECTED, server, by=user)
    signed_in(user, server.name)


def disconnect(user: User, server: McpServer) -> bool | None:
    """Forget the account's tokens, and have them taken back (RFC 7009): whether that was done, None
    where the server has no place for it. They are gone from here in any case."""
    with transaction.atomic():
        account = McpAccount.objects.select_for_update().filter(user=user, server=server).first()
        if account is None:
            return None
        kept = _readable(account)
        account.delete()
        audit.record(Act.MCP_DISCONNECTED, server, by=user)
    if not kept or not kept.get("revocation_endpoint"):
        return None
    try:
        asyncio.run(_disclaimed(server, kept))
    except ServerTrouble:
        return False
    return True


def _readable(account: McpAccount) -> dict[str, Any] | None:
    try:
        kept: dict[str, Any] = orjson.loads(
            open_(bytes(account.secret or b""), account_context(account))
        )
    except (SecretUnreadable, IndexError):
        return None
    return kept


async def _disclaimed(server: McpServer, kept: dict[str, Any]) -> None:
    us = await run_sync(_known_as, server, kept["issuer"])
    await revoked(server.name, us or Us(""), kept)


async def revoked(server_name: str, us: Us, kept: dict[str, Any]) -> None:
    """The refresh token first: with it others could be had. Raises ServerTrouble."""
    async with _client(server_name) as http:
        for hint in ("refresh", "access"):
            if token := kept[hint]:
                await revoke(kept["revocation_endpoint"], us, token, f"{hint}_token", http)


async def token_for(user: User, server: McpServer, *, anew: bool = False) -> str:
    """A token that is good for a while; `anew` where the server just refused the one that was kept.
    Raises ServerTrouble with `needs_sign_in` where the person has to connect (again)."""
    account, kept = await run_sync(_opened, user, server)
    if not anew and not _is_due(account):
        return str(kept["access"])
    if not kept["refresh"]:
        await run_sync(_break, account)
        raise _sign_in(server)
    if not await run_sync(_claimed, account):
        return await _renewed_by_another(user, server, str(kept["access"]))
    renewing = asyncio.create_task(_renewed(server, account, kept))
    _renewals.add(renewing)  # whoever wants it may leave: a token that is spent must be replaced
    renewing.add_done_callback(_renewals.discard)
    return await asyncio.shield(renewing)


_renewals: set[asyncio.Task[str]] = set()


async def _renewed(server: McpServer, account: McpAccount, kept: dict[str, Any]) -> str:
    try:
        us = await run_sync(_known_as, server, kept["issuer"]) or Us("")
        asked = {
            "grant_type": "refresh_token",
            "refresh_token": kept["refresh"],
            "resource": kept["resource"],
        }
        async with _client(server.name) as http:
            tokens = await redeem(kept["token_endpoint"], us, asked, http)
    except ServerTrouble as trouble:
        if not trouble.needs_sign_in:
            await run_sync(_release, account)
            raise
        await run_sync(_break, account)
        raise _sign_in(server) from None
    if not await run_sync(_store, account, tokens, kept):
        with suppress(ServerTrouble):
            await _given_back(server, us, tokens, kept)
        raise _sign_in(server)
    return tokens.access


async def _given_back(server: McpServer, us: Us, tokens: Tokens, kept: dict[str, Any]) -> None:
    """The account was forgotten while its token was renewed: so is what came of that."""
    if kept.get("revocation_endpoint"):
        await revoked(server.name, us, _with(tokens, kept))


async def _renewed_by_another(user: User, server: McpServer, old: str) -> str:
    """A refresh token is often good for one use: one process uses it, the others wait."""
    until = asyncio.get_running_loop().time() + CLAIM.total_seconds()
    while asyncio.get_running_loop().time() < until:
        account, kept = await run_sync(_opened, user, server)
        if account.renewing_until is None or kept["access"] != old:
            return str(kept["access"])
        await asyncio.sleep(LOOK_SECONDS)
    raise _sign_in(server)


def _opened(user: User, server: McpServer) -> tuple[McpAccount, dict[str, Any]]:
    account = McpAccount.objects.visible_to(user).filter(server=server, is_broken=False).first()
    if account is None or not account.secret:
        raise _sign_in(server)
    try:
        kept = orjson.loads(open_(bytes(account.secret), account_context(account)))
    except SecretUnreadable:
        raise _sign_in(server) from None
    if kept["origin"] != origin_of(server):  # a token goes to the server it was given for
        raise _sign_in(server)
    return account, kept


def _with(tokens: Tokens, kept: dict[str, Any]) -> dict[str, Any]:
    """A renewal that brings no refresh token leaves the one that was there."""
    refresh = tokens.refresh or kept.get("refresh", "")
    return kept | {"access": tokens.access, "refresh": refresh}


def _store(account: McpAccount, tokens: Tokens, kept: dict[str, Any]) -> bool:
    """An account that was forgotten meanwhile stays forgotten: then False."""
    return bool(
        McpAccount.objects.filter(pk=account.pk).update(
            secret=seal(orjson.dumps(_with(tokens, kept)).decode(), account_context(account)),
            expires_at=datetime.fromtimestamp(tokens.expires_at, UTC),
            is_broken=False,
            renewing_until=None,
        )
    )


def _claimed(account: McpAccount) -> bool:
    now = timezone.now()
    free = Q(renewing_until=None) | Q(renewing_until__lt=now)
    mine = McpAccount.objects.filter(free, pk=account.pk, expires_at=account.expires_at)
    return bool(mine.update(renewing_until=now + CLAIM))


def _release(account: McpAccount) -> None:
    McpAccount.objects.filter(pk=account.pk).update(renewing_until=None)


def _break(account: McpAccount) -> None:
    McpAccount.objects.filter(pk=account.pk).update(is_broken=True, renewing_until=None)


def _is_due(account: McpAccount) -> bool:
    return account.expires_at is None or account.expires_at < timezone.now() + AHEAD


def _known_as(server: McpServer, issuer: str) -> Us | None:
    """How this issuer knows us; one that was entered by hand is bound to the first that is met."""
    server.refresh_from_db(fields=["client_id", "issuer", "secret"])
    if not server.client_id or server.issuer not in ("", issuer):
        return None
    if not server.issuer:
        McpServer.objects.filter(pk=server.pk).update(issuer=issuer)
    return Us(server.client_id, client_secret_of(server))


@transaction.atomic
def _keep_registration(server: McpServer, issuer: str, us: Us) -> Us:
    """The first of two at the same time counts."""
    row = McpServer.objects.select_for_update().get(pk=server.pk)
    if row.client_id and row.issuer == issuer:
        return Us(row.client_id, client_secret_of(row))
    row.client_id, row.issuer = us.client_id, issuer
    row.secret = seal(us.client_secret, secret_context(row)) if us.client_secret else None
    row.save(update_fields=["client_id", "issuer", "secret"])
    return us


def origin_of(server: McpServer) -> str:
    return "://".join(urlsplit(server.url)[:2])


def _sign_in(server: McpServer) -> ServerTrouble:
    said = _("%(server)s needs you to connect: Settings, Connections.")
    return ServerTrouble(said % {"server": server.name}, needs_sign_in=True)
