"""What sources get from the network, through the guarded client alone."""

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import replace

from django.conf import settings

from security.outbound.fetching import PAGE, ROBOTS, Fetched, Purpose, fetch
from security.outbound.policy import PUBLIC, Policy

FEED = replace(PAGE, media_types=frozenset())


def source_policy() -> Policy:
    """The public internet, and what PARLEY_SOURCE_NETWORKS opens beside it, there on every port."""
    opened = settings.PARLEY_SOURCE_NETWORKS
    return replace(PUBLIC, ports=None, opened=opened) if opened else PUBLIC


def get(url: str, purpose: Purpose, headers: Mapping[str, str] | None = None) -> Fetched:
    """As `fetch`, for the threads that jobs run in; raises OutboundError."""
    return asyncio.run(fetch(url, replace(purpose, policy=source_policy()), headers=headers))


def authorization(secret: str, username: str = "") -> dict[str, str]:
    """`name:password` is sent as Basic, a token alone as Bearer; nothing for no secret."""
    if not secret:
        return {}
    if username or ":" in secret:
        pair = f"{username}:{secret}" if username else secret
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
    return {"Authorization": f"Bearer {secret}"}


__all__ = ["FEED", "PAGE", "ROBOTS", "authorization", "get", "source_policy"]
