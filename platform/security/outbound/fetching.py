"""`fetch`: get one thing from the public internet for a stated purpose, and nothing else."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver
from django.utils.translation import gettext_lazy as _

from security.outbound.body import read_body
from security.outbound.connecting import guarded_connector, open_session
from security.outbound.errors import (
    FetchTimeout,
    OutboundError,
    RedirectRefused,
    ResponseTooLarge,
    Unreachable,
    WrongContent,
)
from security.outbound.policy import PUBLIC, Policy
from security.outbound.targets import Target, parse_target

MOST_REDIRECTS = 5
CONNECT_SECONDS = 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HEADERS = {"User-Agent": "Parley/1.0", "Accept-Encoding": "gzip, deflate"}


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a fetch is for, and so what it may cost. `media_types` empty means any."""

    max_bytes: int
    seconds: float
    redirects: int = 0
    media_types: frozenset[str] = frozenset()
    policy: Policy = PUBLIC


PAGE = Purpose(
    max_bytes=20 * 1024 * 1024,
    seconds=60,
    redirects=MOST_REDIRECTS,
    media_types=frozenset(
        {"text/html", "application/xhtml+xml", "text/plain", "text/markdown", "application/pdf"}
    ),
)
ROBOTS = Purpose(max_bytes=512 * 1024, seconds=15, redirects=MOST_REDIRECTS)


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer. `url` is where it came from after redirects; `body` is empty unless it is 2xx."""

    url: str
    status: int
    media_type: str
    charset: str
    body: bytes
    headers: Mapping[str, str]


async def fetch(
    url: str,
    purpose: Purpose,
    *,
    headers: Mapping[str, str] | None = None,
    resolver: AbstractResolver | None = None,
) -> Fetched:
    """GET `url` and what it redirects to, within the purpose; raise OutboundError.

    `headers` may hold credentials: they go to the first origin only. `resolver` replaces the
    system's look-up of names; what it answers is checked like every answer.
    """
    target = parse_target(url)
    try:
        async with (
            asyncio.timeout(purpose.seconds),
            open_session(
                guarded_connector(purpose.policy, resolver),
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            ) as session,
        ):
            return await _follow(session, target, purpose, headers or {})
    except TimeoutError as error:
        raise FetchTimeout(_("The answer took too long.")) from error
    except aiohttp.ClientError as error:
        raise _refusal_behind(error) or Unreachable(
            _("%(host)s cannot be reached.") % {"host": target.host}
        ) from error


async def _follow(
    session: aiohttp.ClientSession, first: Target, purpose: Purpose, own: Mapping[str, str]
) -> Fetched:
    target = first
    for _step in range(min(purpose.redirects, MOST_REDIRECTS) + 1):
        purpose.policy.check_port(target.port)
        headers = HEADERS | (dict(own) if target.origin == first.origin else {})
        async with session.get(target.as_url(), headers=headers, allow_redirects=False) as response:
            location = response.headers.get("Location")
            if response.status not in REDIRECTS or location is None:
                return await _take(response, target, purpose)
        target = target.join(location)
    raise RedirectRefused(
        _("%(host)s redirects where this request does not follow.") % {"host": target.host}
    )


async def _take(response: aiohttp.ClientResponse, target: Target, purpose: Purpose) -> Fetched:
    media_type = response.content_type if "Content-Type" in response.headers else ""
    body = b""
    if response.ok:
        if purpose.media_types and media_type not in purpose.media_types:
            raise WrongContent(
                _("The answer is of the type %(type)s, which is not used here.")
                % {"type": media_type[:100] or "–"}
            )
        if (response.content_length or 0) > purpose.max_bytes:
            raise ResponseTooLarge(
                _("The answer is larger than %(limit)s bytes.")
                % {"limit": f"{purpose.max_bytes:,}"}
            )
        encoding = response.headers.get("Content-Encoding", "")
        body = await read_body(response.content.iter_any(), encoding, purpose.max_bytes)
    return Fetched(
        str(target), response.status, media_type, response.charset or "", body, response.headers
    )


def _refusal_behind(error: BaseException) -> OutboundError | None:
    """The refusal that aiohttp wrapped into an error of its own, if it was one."""
    inner = getattr(error, "os_error", None)
    return inner if isinstance(inner, OutboundError) else None
