"""The web: a page's text, and a search by the SearXNG that the operator named.

An address and a query can carry out what a run has read, so both talk to somebody outside. Every
connection is the guarded client's; what comes is parsed by the reading process, which can reach
nothing, and nothing that a page names is fetched.
"""

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from pydantic import Field, StringConstraints

from agents.tools.confined.running import apart
from agents.tools.registry import tool
from agents.tools.types import Effect, Taint, ToolCalling, ToolOutput, ToolRefused
from knowledge.extraction.process import extract
from knowledge.extraction.reasons import ExtractionFailed
from security.outbound.errors import OutboundError
from security.outbound.fetching import PAGE, Fetched, Purpose, fetch
from security.outbound.policy import ANY_ENDPOINT, PUBLIC, Policy
from security.outbound.targets import parse_target
from security.text import storable

KINDS = {
    "text/html": "html", "application/xhtml+xml": "html", "application/pdf": "pdf",
    "text/plain": "text", "text/markdown": "text", "application/json": "text",
    "text/csv": "text", "": "html",
}  # fmt: skip
SEARCH = Purpose(
    max_bytes=2 * 1024 * 1024, seconds=20, media_types=frozenset({"application/json"}),
    policy=ANY_ENDPOINT,  # the operator named it
)  # fmt: skip
MOST_BYTES = 8 * 1024 * 1024
SECONDS = 25
READING_SECONDS = 40
LONGEST_WINDOW = 12_000  # characters
LONGEST_SNIPPET = 400
FROM_OUTSIDE = frozenset({Taint.UNTRUSTED})

Address = Annotated[str, StringConstraints(strip_whitespace=True, min_length=8, max_length=2000)]
SearchText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]


@dataclass(frozen=True, slots=True)
class _Page:
    title: str
    text: str


@tool(
    title=_("Read a web page"), effect=Effect.SENDS, icon="globe", result_chars=16_000, timeout=90,
    is_there=lambda: settings.PARLEY_WEB_FETCH,
)  # fmt: skip
async def fetch_page(
    calling: ToolCalling,  # noqa: ARG001
    url: Address,
    start: Annotated[int, Field(ge=0, le=10**8, description="first character")] = 0,
) -> ToolOutput:
    """Read the text of a public web page or PDF by its address."""
    fetched = await _get(url, replace(PAGE, max_bytes=MOST_BYTES, seconds=SECONDS,
                                      media_types=frozenset(KINDS), policy=_policy()))  # fmt: skip
    page = await apart(_read, fetched)
    if start and start >= len(page.text):
        raise ToolRefused(f"This page ends at character {len(page.text)}.")
    window = page.text[start : start + LONGEST_WINDOW]
    end = start + len(window)
    head = f"{page.title or 'A page'}, {fetched.url}, characters {start}-{end} of {len(page.text)}"
    more = f". Read on with start={end}." if end < len(page.text) else "."
    data = {"kind": "page", "url": fetched.url, "title": page.title}
    return ToolOutput(f"{head}{more}\n\n{window}", data, taints=FROM_OUTSIDE)


@tool(
    title=_("Search the web"), effect=Effect.SENDS, icon="globe", result_chars=10_000, timeout=40,
    is_there=lambda: bool(settings.PARLEY_WEB_SEARCH_URL),
)  # fmt: skip
async def search_web(
    calling: ToolCalling,  # noqa: ARG001
    query: SearchText,
    limit: Annotated[int, Field(ge=1, le=20)] = 8,
) -> ToolOutput:
    """Search the web; read what looks useful with fetch_page. Name addresses as sources."""
    asked = urlencode({"q": storable(query), "format": "json"})
    fetched = await _get(f"{settings.PARLEY_WEB_SEARCH_URL.rstrip('/')}/search?{asked}", SEARCH)
    found = _results(fetched.body)[:limit]
    if not found:
        return ToolOutput("The web search found nothing.", {"kind": "web", "query": query})
    lines = [f"{one['title']}\n{one['url']}\n{one['text']}" for one in found]
    data = {"kind": "web", "query": query, "results": found}
    return ToolOutput("\n\n".join(lines), data, taints=FROM_OUTSIDE)


def _policy() -> Policy:
    opened = settings.PARLEY_WEB_NETWORKS
    return replace(PUBLIC, ports=None, opened=opened) if opened else PUBLIC


async def _get(url: str, purpose: Purpose) -> Fetched:
    """Raises ToolRefused, with what the server or the guard says."""
    try:
        fetched = await fetch(url, purpose)
    except OutboundError as error:
        why = f"It cannot be fetched: {error}"  # which may say what the server said
        raise ToolRefused(why, ToolOutput(why, taints=FROM_OUTSIDE)) from None
    if not 200 <= fetched.status < 300:
        raise ToolRefused(f"The server answers with the status {fetched.status}.")
    return fetched


def _read(fetched: Fetched) -> _Page:
    """By the reading process, from a file of its own."""
    kind = KINDS.get(fetched.media_type, "text")
    with tempfile.NamedTemporaryFile(prefix="parley-page-") as file:
        file.write(fetched.body)
        file.flush()
        try:
            found = extract(Path(file.name), kind, _patience(READING_SECONDS))
        except ExtractionFailed as error:
            raise ToolRefused(f"The page cannot be read: {error}") from None
    text = found.text.strip()
    if not text:
        raise ToolRefused("There is no text on this page; it may need a browser that runs scripts.")
    return _Page(" ".join(found.title.split())[:200], text)


def _patience(seconds: float) -> Callable[[], None]:
    """Raises ToolRefused when it is over."""
    end = time.monotonic() + seconds

    def check() -> None:
        if time.monotonic() > end:
            raise ToolRefused("Reading the page took too long.")

    return check


def _results(body: bytes) -> list[dict[str, str]]:
    """Those with an address that can be fetched; raises ToolRefused for what is no result."""
    try:
        rows: Any = json.loads(body)["results"]
        return [
            {
                "title": _short(row.get("title"), 200),
                "url": url,
                "text": _short(row.get("content"), LONGEST_SNIPPET),
            }
            for row in rows
            if (url := _address(row.get("url")))
        ]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ToolRefused("The web search gave no answer that can be read.") from None


def _short(text: object, most: int) -> str:
    return " ".join(storable(str(text or "")).split())[:most]


def _address(text: object) -> str:
    try:
        return str(parse_target(str(text)))
    except OutboundError:
        return ""
